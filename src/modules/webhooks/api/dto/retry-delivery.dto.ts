import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsBoolean, ValidateIf } from 'class-validator';

export class RetryDeliveryDto {
  @ApiPropertyOptional({
    description:
      'Send again also when the delivery has not FAILED: a waiting one now, a delivered one once more.',
    example: false,
    default: false,
  })
  @ValidateIf((dto: RetryDeliveryDto) => dto.force !== undefined)
  @IsBoolean({ message: 'Force must be true or false' })
  force?: boolean;
}
