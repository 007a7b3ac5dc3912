// The trainers that a config file can name, each with the shape of its config.

import { configSchema } from './configSchema.ts';
import { neuralConfigSchema } from './neuralConfigSchema.ts';

export const trainerSchemas = { gbdt: configSchema, neural: neuralConfigSchema } as const;

export type TrainerName = keyof typeof trainerSchemas;

export const trainerNames = Object.keys(trainerSchemas) as TrainerName[];
