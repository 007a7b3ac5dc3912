// Options shared by the commands that talk to a coordinator that is up already.

import type { OptionSpecs } from './options.ts';

export const urlOption = {
  type: 'url',
  placeholder: 'URL',
  help: 'Address of the coordinator.',
  env: 'TABGRAD_URL',
} as const;

/** For the commands that look at a coordinator and steer it. */
export const adminOptions = {
  url: { ...urlOption, default: 'http://127.0.0.1:7070' },
  token: {
    type: 'text',
    placeholder: 'TOKEN',
    help: "The coordinator's admin token, where it has one.",
    env: 'TABGRAD_ADMIN_TOKEN',
  },
} as const satisfies OptionSpecs;

/** What workers run on and compute with. */
export const workerOptions = {
  runtime: {
    type: 'choice',
    choices: ['node', 'deno', 'browser'],
    default: 'node',
    help: 'What the worker runs on.',
  },
  device: {
    type: 'choice',
    choices: ['webgpu', 'cpu'],
    help: 'What it computes on. Without it: WebGPU where a real GPU is there, else the processor.',
  },
} as const satisfies OptionSpecs;
