// Programs that every worker has, so that it runs them for anybody: they are tabgrad's own code.

type ProgramClass = new (...args: never[]) => object;

export const builtinPrograms: ReadonlyMap<string, ProgramClass> = new Map();
