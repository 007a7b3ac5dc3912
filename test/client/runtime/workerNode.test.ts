import { workerRuntimeContract } from './workerRuntime.contract.ts';

workerRuntimeContract('node');
