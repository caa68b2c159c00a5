import { describeWholeService } from './whole-service.js';

describeWholeService({ database: 'embedded', dispatcher: 'inline' });
