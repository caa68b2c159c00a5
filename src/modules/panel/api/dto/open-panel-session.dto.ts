import { ApiProperty } from '@nestjs/swagger';
import { IsString, MaxLength } from 'class-validator';

/** Longer than any token: what is longer still is no mistake of copying. */
const MAX_TOKEN_LENGTH = 100;

export class OpenPanelSessionDto {
  @ApiProperty({
    description: 'What follows `#s=` in the link.',
    maxLength: MAX_TOKEN_LENGTH,
    example: 'v1Yt3mYb2sQeM6o4c8pKxA',
  })
  @IsString({ message: 'Token must be a string' })
  @MaxLength(MAX_TOKEN_LENGTH, { message: `Token must be at most ${MAX_TOKEN_LENGTH} characters` })
  token!: string;
}
