import { describeWholeService } from './whole-service.js';

describeWholeService({ database: 'postgres', dispatcher: 'redis' });
