import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsBoolean, ValidateIf } from 'class-validator';

export class MakePanelLinkDto {
  @ApiPropertyOptional({
    description: 'A session that may look and change nothing, whatever the token may.',
    example: true,
    default: false,
  })
  @ValidateIf((dto: MakePanelLinkDto) => dto.read_only !== undefined)
  @IsBoolean({ message: 'Read only must be true or false' })
  read_only?: boolean;
}
