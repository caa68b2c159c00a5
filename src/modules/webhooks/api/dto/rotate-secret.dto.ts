import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsNumber, IsString, Max, Min, ValidateIf } from 'class-validator';

import { ByRule } from '../../../../platform/http/field-rules.js';
import {
  DEFAULT_OVERLAP_HOURS,
  MAX_OVERLAP_HOURS,
  MAX_OVERLAP_SECONDS,
  overlapProblem,
  overlapSecondsProblems,
} from '../../domain/secret-rotation.js';
import { MAX_SECRET_LENGTH, MIN_SECRET_LENGTH } from '../../domain/subscription.js';
import { IsSigningSecret, SECRET_PATTERN } from './constraints.js';

const OVERLAP = { message: overlapProblem(NaN) ?? '' };

export class RotateSecretDto {
  @ApiPropertyOptional({
    description: 'The new secret, as at creation. Without one, the service makes one and shows it once.',
    example: 'another-long-and-random-secret',
    minLength: MIN_SECRET_LENGTH,
    maxLength: MAX_SECRET_LENGTH,
    pattern: SECRET_PATTERN,
  })
  @ValidateIf((dto: RotateSecretDto) => dto.secret !== undefined)
  @IsString({ message: 'Secret must be a string' })
  @IsSigningSecret()
  secret?: string;

  @ApiPropertyOptional({
    description: 'Hours during which the previous secret signs as well; 0 stops it at once.',
    type: 'number',
    minimum: 0,
    maximum: MAX_OVERLAP_HOURS,
    default: DEFAULT_OVERLAP_HOURS,
    example: DEFAULT_OVERLAP_HOURS,
  })
  @ValidateIf((dto: RotateSecretDto) => dto.overlap_hours !== undefined)
  @IsNumber({}, OVERLAP)
  @Min(0, OVERLAP)
  @Max(MAX_OVERLAP_HOURS, OVERLAP)
  overlap_hours?: number;

  @ApiPropertyOptional({
    description: 'The same in seconds; given, it counts in place of `overlap_hours`.',
    type: 'integer',
    minimum: 0,
    maximum: MAX_OVERLAP_SECONDS,
    default: DEFAULT_OVERLAP_HOURS * 3_600,
    nullable: true,
    // Of the field alone: in the example of the body stands `overlap_hours`.
    examples: [3_600],
  })
  @ByRule(overlapSecondsProblems)
  overlap_seconds?: number | null;
}
