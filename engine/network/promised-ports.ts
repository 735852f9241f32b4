/** Ports of the host that other engines on it have promised to their containers. Their tables say it. */
import { EngineError } from '../errors.ts'
import type { Spawner } from '../sys/spawner.ts'
import type { PublishedPort } from './networks.ts'
import { collide, describePort } from './places.ts'

/** Throws already-exists when one of the ports is another engine's. Call it in the host's lock. */
export async function checkOtherEngines(
  spawner: Spawner,
  ownTable: string,
  ports: PublishedPort[],
): Promise<void> {
  const tables = await spawner.mustRun(['nft', 'list', 'tables', 'inet'])
  for (const [, table = ''] of tables.matchAll(/^table inet (berth_\w+)$/gm)) {
    if (table === ownTable) continue
    const { code, stdout } = await spawner.run(['nft', '--json', 'list', 'set', 'inet', table, 'promised'])
    // Gone meanwhile, or of an engine that did not say it yet.
    if (code !== 0) continue
    const promised = promisedPorts(stdout)
    for (const port of ports)
      if (promised.some((other) => collide(port, other)))
        throw new EngineError(
          'already-exists',
          `cannot publish ${describePort(port)}: a container of another engine on this host has it, whose firewall is the table ${table}. Choose another port, or remove that container`,
        )
  }
}

type Promised = Pick<PublishedPort, 'hostAddress' | 'hostPort' | 'protocol'>

/** Of what `nft --json list set` says. Source: libnftables-json(5). */
export function promisedPorts(text: string): Promised[] {
  const { nftables } = JSON.parse(text) as {
    nftables: { set?: { elem?: { concat: [string, string, number] }[] } }[]
  }
  return nftables
    .flatMap(({ set }) => set?.elem ?? [])
    .map(({ concat: [hostAddress, protocol, hostPort] }) => ({
      hostAddress,
      protocol: protocol === 'udp' ? 'udp' : 'tcp',
      hostPort,
    }))
}
