import { ApiPropertyOptional } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsInt, IsOptional, Max, Min } from 'class-validator';

/** Invoices in one answer at most, and by default. */
export const MAX_PAGE = 100;

const LIMIT = { message: `Limit must be a whole number from 1 to ${MAX_PAGE}` };

export class ListInvoicesDto {
  @ApiPropertyOptional({
    description: 'How many of the newest.',
    type: 'integer',
    minimum: 1,
    maximum: MAX_PAGE,
    default: MAX_PAGE,
  })
  @IsOptional()
  @Transform(({ value }: { value: unknown }) =>
    typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value,
  )
  @IsInt(LIMIT)
  @Min(1, LIMIT)
  @Max(MAX_PAGE, LIMIT)
  limit?: number;
}
