/** The public door of the panel module. */
export { PanelModule } from './panel.module.js';
