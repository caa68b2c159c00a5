/** The public door of the invoicing module. */
export { InvoicingModule } from './invoicing.module.js';
