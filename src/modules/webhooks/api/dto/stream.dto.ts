import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsOptional, Matches } from 'class-validator';

export class StreamDto {
  @ApiPropertyOptional({
    description: 'Ends the stream after so many seconds; without it, it ends with the token.',
    type: 'integer',
    minimum: 1,
    maximum: 3600,
    example: 60,
  })
  @IsOptional()
  @Matches(/^0*(?:[1-9]\d{0,2}|[12]\d{3}|3[0-5]\d{2}|3600)$/, {
    message: 'Max seconds must be a whole number from 1 to 3600',
  })
  max_seconds?: string;
}
