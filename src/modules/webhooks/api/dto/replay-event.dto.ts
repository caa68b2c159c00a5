import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsUUID, ValidateIf } from 'class-validator';

export class ReplayEventDto {
  @ApiPropertyOptional({
    description:
      'Only to this active subscription, whether it matches the event or not. Without it: to every active one that matches now.',
    format: 'uuid',
    example: '0193c5a0-7b1e-7c3a-9f64-0d7b1f0e6a11',
  })
  @ValidateIf((dto: ReplayEventDto) => dto.subscription_id !== undefined)
  @IsUUID('loose', { message: 'Subscription id must be a UUID' })
  subscription_id?: string;
}
