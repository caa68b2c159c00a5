import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsBoolean, IsInt, IsISO4217CurrencyCode, Matches, Max, Min, ValidateIf } from 'class-validator';

import { MAX_TOTAL_CENTS } from '../../domain/invoice.js';

const NUMBER = /^[A-Za-z0-9][A-Za-z0-9._/-]{0,49}$/;
/** No control characters (PostgreSQL refuses NUL), no half surrogate pairs (no UTF-8 has them), no spaces at the ends. */
const CUSTOMER = /^(?!\s)[^\p{Cc}\p{Cs}]{1,200}(?<!\s)$/u;
/** The same in what every dialect of regular expressions has; JSON has no half surrogate pairs to begin with. */
const DOCUMENTED_CUSTOMER =
  '^[^\\s\\u0000-\\u001f\\u007f-\\u009f]([^\\u0000-\\u001f\\u007f-\\u009f]*[^\\s\\u0000-\\u001f\\u007f-\\u009f])?$';

const TOTAL = {
  message: `Total must be a whole number of cents from 0 to ${MAX_TOTAL_CENTS}`,
};

export class CreateInvoiceDto {
  @ApiProperty({ description: 'Unique among your invoices.', example: 'F-2026-0042', pattern: NUMBER.source })
  @Matches(NUMBER, {
    message:
      'Number must be 1–50 letters, digits, dots, slashes, hyphens or underscores, such as F-2026-0042',
  })
  number!: string;

  @ApiProperty({
    description: 'Who is to pay.',
    example: 'Panadería Sol',
    maxLength: 200,
    pattern: DOCUMENTED_CUSTOMER,
  })
  @Matches(CUSTOMER, {
    message: 'Customer must be 1–200 characters on one line, without spaces at its ends',
  })
  customer!: string;

  @ApiProperty({
    description:
      'In hundredths of the currency, as a whole number. 0 is allowed in a draft; only more can be sent.',
    type: 'integer',
    minimum: 0,
    maximum: MAX_TOTAL_CENTS,
    example: 12_100,
  })
  @IsInt(TOTAL)
  @Min(0, TOTAL)
  @Max(MAX_TOTAL_CENTS, TOTAL)
  total_cents!: number;

  @ApiProperty({ description: 'ISO 4217.', example: 'EUR', pattern: '^[A-Za-z]{3}$' })
  @IsISO4217CurrencyCode({ message: 'Currency must be a code of ISO 4217, such as EUR' })
  currency!: string;

  @ApiPropertyOptional({
    description:
      'Send it at once. Creating and sending are then one step: when it cannot be sent, it is not created, and neither event exists.',
    example: false,
    default: false,
  })
  @ValidateIf((dto: CreateInvoiceDto) => dto.send !== undefined)
  @IsBoolean({ message: 'Send must be true or false' })
  send?: boolean;
}
