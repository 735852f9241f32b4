/** The `process` of one more process: what its container has, and never more. Source: the OCI runtime specification. */
import { EngineError } from '../errors.ts'
import { resolveUser } from '../runtime/user.ts'
import type { ExecSpec } from './containers.ts'

/** What of a container's config.json is of use here. */
export interface RunConfig {
  process: {
    user: { uid: number; gid: number; additionalGids?: number[] }
    env: string[]
    cwd: string
  }
  linux: { uidMappings: { size: number }[] }
}

/** @param root the container's root folder, in which names of users are looked up. Throws invalid. */
export function execConfig(config: RunConfig, spec: ExecSpec, root: string): Record<string, unknown> {
  const { process: first, linux } = config
  const resolved = spec.user === undefined ? null : resolveUser(root, spec.user)
  const user = resolved
    ? { uid: resolved.uid, gid: resolved.gid, additionalGids: resolved.additionalGids }
    : first.user
  const size = linux.uidMappings[0]?.size ?? 0
  for (const id of [user.uid, user.gid, ...(user.additionalGids ?? [])])
    if (id >= size) throw new EngineError('invalid', `a container has the ids below ${size}: ${id} is none`)
  const cwd = spec.workingDir ?? first.cwd
  if (
    !cwd.startsWith('/') ||
    cwd.includes('\0') ||
    /^\/+proc(\/|$)/.test(cwd) ||
    cwd.split('/').includes('..')
  )
    throw new EngineError('invalid', `the working folder ${cwd} is not allowed`)
  const env = new Map(first.env.map((line) => [line.slice(0, line.indexOf('=')), line] as const))
  const set = (name: string, value: string) => env.set(name, `${name}=${value}`)
  if (resolved) set('HOME', resolved.home)
  if (spec.terminal && !env.has('TERM')) set('TERM', 'xterm-256color')
  for (const [name, value] of Object.entries(spec.environment ?? {})) set(name, value)
  return {
    ...first,
    terminal: spec.terminal !== undefined,
    ...(spec.terminal ? { consoleSize: { height: spec.terminal.rows, width: spec.terminal.columns } } : {}),
    user,
    args: spec.command,
    env: [...env.values()],
    cwd,
  }
}
