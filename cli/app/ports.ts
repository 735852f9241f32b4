/** `berth ports`: ports of the host that lead to an app. */
import type { ChangePortInput, Port, PortList, PublishPortInput } from '../../platform/model/ports.ts'
import type { LoginOptions } from '../client.ts'
import { table } from '../engine/table.ts'
import { CommandError, say } from '../say.ts'
import { type ListOptions, numberOf, openApp } from './open.ts'

interface PortOptions extends LoginOptions {
  to?: string
  process?: string
  from?: string[]
}

export async function listPorts(name: string, options: ListOptions): Promise<void> {
  const { client, app, path } = await openApp(name, options)
  const list = await client.get<PortList>(`/apps/${app.id}/ports`)
  if (options.json) return say(JSON.stringify(list, null, 2))
  if (list.data.length === 0) return say(`${path} has no ports.`)
  say(portTable(list.data))
}

export function portTable(ports: readonly Port[]): string {
  return table(
    ['NAME', 'ADDRESS', 'LEADS TO', 'FROM', 'STATE'],
    ports.map(({ name, address, process, containerPort, sources, state, problem }) => [
      ...[name, address, `${process}:${containerPort}`],
      ...[sources.length === 0 ? 'everybody' : sources.join(', '), problem ?? inWords[state]],
    ]),
  )
}

const inWords = {
  live: 'live',
  waiting: 'from the next deployment on',
  going: 'until the next deployment',
} as const satisfies Record<Port['state'], string>

export async function addPort(
  name: string,
  { to = '', udp, port, process, from, ...login }: PortOptions & { udp?: boolean; port?: string },
): Promise<void> {
  const input: PublishPortInput = {
    protocol: udp ? 'udp' : 'tcp',
    containerPort: numberOf('to', to),
    hostPort: port === undefined ? null : numberOf('port', port),
    process: process ?? 'web',
    sources: from ?? [],
  }
  const { client, app, path } = await openApp(name, login)
  const made = await client.post<Port>(`/apps/${app.id}/ports`, input)
  say(
    `${made.address} (${made.protocol}) leads to port ${made.containerPort} of ${path}, from its next deployment on.`,
  )
}

export async function changePort(
  name: string,
  port: string,
  { to, process, from, fromEverybody, ...login }: PortOptions & { fromEverybody?: boolean },
): Promise<void> {
  if (from !== undefined && fromEverybody)
    throw new CommandError('Give --from or --from-everybody, not both.')
  const input: ChangePortInput = {
    ...(to === undefined ? {} : { containerPort: numberOf('to', to) }),
    ...(process === undefined ? {} : { process }),
    ...(from === undefined && !fromEverybody ? {} : { sources: from ?? [] }),
  }
  if (Object.keys(input).length === 0)
    throw new CommandError('Say what is to be different: --to, --process, --from or --from-everybody.')
  const { client, app, path } = await openApp(name, login)
  await client.change<Port>('PATCH', `/apps/${app.id}/ports/${encodeURIComponent(port)}`, input)
  say(`${port} of ${path} is changed, from its next deployment on.`)
}

export async function removePort(name: string, port: string, options: LoginOptions): Promise<void> {
  const { client, app, path } = await openApp(name, options)
  await client.change('DELETE', `/apps/${app.id}/ports/${encodeURIComponent(port)}`)
  say(`${path} is without ${port}, from its next deployment on.`)
}
