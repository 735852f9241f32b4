/**
 * Living beside Docker, which drops whatever is forwarded and is not its own: a packet must pass every table, so what
 * ours lets through would end in Docker's. Its chain DOCKER-USER is where others say what is not to be dropped; there
 * our bridges get through, since our own table decides about them already. Source: Docker's documentation, "Packet
 * filtering and firewalls". Seen is what iptables-nft makes, the default of Debian and Ubuntu; not iptables-legacy.
 */
import type { Spawner } from '../sys/spawner.ts'

const chain = ['ip', 'filter', 'DOCKER-USER']

export interface DockerUser {
  /** Lets our bridges through, where Docker's chain is. */
  open(): Promise<void>
  /** Takes out what open() put in. */
  close(): Promise<void>
}

export function dockerUser(spawner: Pick<Spawner, 'run' | 'mustRun'>, bridgePrefix: string): DockerUser {
  async function list(): Promise<string | null> {
    const { code, stdout } = await spawner.run(['nft', '--handle', 'list', 'chain', ...chain])
    return code === 0 ? stdout : null
  }
  return {
    async open() {
      const present = await list()
      if (present === null || ourHandles(present, bridgePrefix).length === 2) return
      const input = [...deletions(present, bridgePrefix), ...insertions(bridgePrefix), ''].join('\n')
      await spawner.mustRun(['nft', '-f', '-'], { input })
    },
    async close() {
      const lines = deletions((await list()) ?? '', bridgePrefix)
      if (lines.length > 0) await spawner.run(['nft', '-f', '-'], { input: [...lines, ''].join('\n') })
    },
  }
}

function insertions(bridgePrefix: string): string[] {
  return ['iifname', 'oifname'].map(
    (end) => `insert rule ${chain.join(' ')} ${end} "${bridgePrefix}*" counter accept`,
  )
}

function deletions(listed: string, bridgePrefix: string): string[] {
  return ourHandles(listed, bridgePrefix).map((handle) => `delete rule ${chain.join(' ')} handle ${handle}`)
}

/** Of `nft --handle list chain`: the rules that name our bridges. */
export function ourHandles(listed: string, bridgePrefix: string): number[] {
  return listed
    .split('\n')
    .filter((line) => line.includes(`"${bridgePrefix}*"`))
    .map((line) => Number(/# handle (\d+)$/.exec(line)?.[1]))
}
