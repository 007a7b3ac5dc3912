// stub
import type { OpenTransport } from './openTransport.ts';
export const openTransport: OpenTransport = () => Promise.reject(new Error('No transport yet.'));
