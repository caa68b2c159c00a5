import { DomainError } from '../../../platform/kernel/domain-error.js';

/** The stable codes of this module, each with its kind. */
export const PANEL_ERRORS = {
  panel_link_invalid: {
    kind: 'unauthenticated',
    message: 'The link is not known, has been used, or is older than a minute: ask for a new one.',
  },
  https_required: {
    kind: 'forbidden',
    message: 'The panel needs https; plain http is for this machine alone.',
  },
} as const;

/** A refusal with one of the module's stable codes. */
export class PanelError extends DomainError {
  constructor(code: keyof typeof PANEL_ERRORS) {
    super(code, PANEL_ERRORS[code].kind, PANEL_ERRORS[code].message);
    this.name = 'PanelError';
  }
}
