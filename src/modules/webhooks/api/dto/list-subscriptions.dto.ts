import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsOptional, IsString } from 'class-validator';

export class ListSubscriptionsDto {
  @ApiPropertyOptional({
    description: 'Only those for exactly this event or pattern.',
    example: 'invoice.created',
  })
  @IsOptional()
  @IsString({ message: 'Event must be a string' })
  event?: string;

  @ApiPropertyOptional({
    description: 'Only active (`true`) or only deactivated (`false`) ones.',
    enum: ['true', 'false'],
  })
  @IsOptional()
  @IsIn(['true', 'false'], { message: 'Active must be true or false' })
  active?: 'true' | 'false';
}
