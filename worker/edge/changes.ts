import type { ServerState } from './haproxy.ts'
import type { EdgePlan } from './plan.ts'

/** What a running process has, as far as the plan decides it. */
export interface RunningState {
  servers: ServerState[]
  hosts: ReadonlyMap<string, string>
}

/**
 * The commands that take a running process to the plan without touching a connection. New servers come before names
 * are turned to them; those that go are drained, and deleted once nobody is connected (`undeletable` is then no error).
 */
export function changesTo(plan: EdgePlan, running: RunningState, hostsPath: string): string[] {
  return [...serverChanges(plan, running.servers), ...mapChanges(plan.hosts, running.hosts, hostsPath)]
}

function serverChanges(plan: EdgePlan, servers: ServerState[]): string[] {
  const ofApps = servers.filter(({ backend }) => plan.servers.has(backend))
  const present = new Map(ofApps.map((server) => [`${server.backend}/${server.name}`, server]))
  const wanted = new Set<string>()
  const commands: string[] = []
  for (const [backend, list] of plan.servers) {
    for (const { name, address, port } of list) {
      const path = `${backend}/${name}`
      wanted.add(path)
      const known = present.get(path)
      if (known === undefined) commands.push(`add server ${path} ${address}:${port}`, `enable server ${path}`)
      else {
        if (known.address !== address || known.port !== port)
          commands.push(`set server ${path} addr ${address} port ${port}`)
        if (!known.isReady) commands.push(`set server ${path} state ready`)
      }
    }
  }
  for (const [path, server] of present)
    if (!wanted.has(path) && server.isReady) commands.push(`set server ${path} state drain`)
  return commands
}

/** The commands that make a running process's map what it should be. */
export function mapChanges(
  wanted: ReadonlyMap<string, string>,
  running: ReadonlyMap<string, string>,
  path: string,
): string[] {
  const commands: string[] = []
  for (const [key, value] of wanted) {
    const known = running.get(key)
    if (known === undefined) commands.push(`add map ${path} ${key} ${value}`)
    else if (known !== value) commands.push(`set map ${path} ${key} ${value}`)
  }
  for (const key of running.keys()) if (!wanted.has(key)) commands.push(`del map ${path} ${key}`)
  return commands
}

/** Servers that no plan wants and nobody is connected to: `<backend>/<server>`. */
export function deletableServers(
  plan: EdgePlan,
  servers: ServerState[],
  connections: ReadonlyMap<string, number>,
): string[] {
  return servers.flatMap(({ backend, name }) => {
    const path = `${backend}/${name}`
    const list = plan.servers.get(backend)
    const goes = list !== undefined && !list.some((server) => server.name === name)
    return goes && (connections.get(path) ?? 0) === 0 ? [path] : []
  })
}
