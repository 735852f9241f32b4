/** Which runtime makes a container. */
import { existsSync } from 'node:fs'
import { EngineError } from '../errors.ts'

/** `default` is crun, or runc where crun is missing. */
export type RuntimeClass = 'default' | 'runc' | 'gvisor'

export const runtimeClasses: readonly RuntimeClass[] = ['default', 'runc', 'gvisor']

export const runtimePaths = {
  crun: ['/usr/bin/crun', '/usr/local/bin/crun'],
  runc: ['/usr/sbin/runc', '/usr/bin/runc'],
  runsc: ['/usr/bin/runsc', '/usr/local/bin/runsc'],
}

/** Where the runtime of a class other than the default is. Throws unsupported, saying what to install. */
export function classPath(runtimeClass: Exclude<RuntimeClass, 'default'>): string {
  const name = runtimeClass === 'runc' ? 'runc' : 'runsc'
  const found = runtimePaths[name].find((path) => existsSync(path))
  if (found === undefined)
    throw new EngineError(
      'unsupported',
      `the runtime class ${runtimeClass} needs ${name}, which is not installed: apt-get install ${name}`,
    )
  return found
}
