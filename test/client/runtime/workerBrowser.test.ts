import { workerRuntimeContract } from './workerRuntime.contract.ts';

workerRuntimeContract('browser');
