/**
 * Living beside others' firewalls, which drop what they don't know: Docker, ufw, firewalld, a policy of the operator's
 * own. Our bridges are let through where the rest would be dropped, since our own tables decide about them; whatever
 * the others drop by a rule stays dropped. Looked at again and again, as others load their rules anew.
 */
import { existsSync, readFileSync } from 'node:fs'
import type { Spawner } from '../sys/spawner.ts'
import {
  type ChainPlan,
  chainsOfLegacy,
  chainsOfNft,
  endsOf,
  type ForeignChain,
  isFilter,
  nftChains,
  planFor,
} from './foreign-chains.ts'

export interface HostFirewalls {
  /** Lets our bridges through wherever they would be dropped. Throws the first failure, after the others were done. */
  open(): Promise<void>
  /** Takes out what open() put in. */
  close(): Promise<void>
}

type Tools = Pick<Spawner, 'run' | 'mustRun'>

/** firewalld has its tables to itself, and is asked. */
const firewalldTable = 'inet firewalld'

export function hostFirewalls(spawner: Tools, bridgePrefix: string): HostFirewalls {
  async function pass(wanted: boolean): Promise<void> {
    const tables = await foreignTables(spawner)
    const failures: unknown[] = []
    const works = [
      ...tables
        .filter((table) => !table.startsWith(firewalldTable))
        .map((table) => () => passNft(spawner, table, bridgePrefix, wanted)),
      ...(tables.includes(firewalldTable) ? [() => passFirewalld(spawner, bridgePrefix, wanted)] : []),
      ...(hasLegacyRules() ? [() => passLegacy(spawner, bridgePrefix, wanted)] : []),
    ]
    for (const work of works) await work().catch((error) => failures.push(error))
    if (failures.length > 0) throw failures[0]
  }
  return { open: () => pass(true), close: () => pass(false) }
}

/** Such as `ip filter`: those that are not an engine's, and filter packets of this host. */
async function foreignTables(spawner: Tools): Promise<string[]> {
  const chains = nftChains(await spawner.mustRun(['nft', '--json', 'list', 'chains']))
  return [
    ...new Set(
      chains
        .filter((chain) => isFilter(chain) && !chain.table.startsWith('berth_'))
        .map(({ family, table }) => `${family} ${table}`),
    ),
  ]
}

async function passNft(spawner: Tools, table: string, bridgePrefix: string, wanted: boolean): Promise<void> {
  // Terse: sets of others can have a hundred thousand elements.
  const list = ['nft', '--json', '--terse', '--handle', 'list', 'table', ...table.split(' ')]
  const { code, stdout } = await spawner.run(list)
  if (code !== 0) return
  const lines = plans(chainsOfNft(stdout, bridgePrefix), wanted).flatMap(({ chain, remove, addBefore }) => [
    ...remove.map(({ id }) => `delete rule ${table} ${chain.name} handle ${id}`),
    ...(chain.hook && addBefore ? endsOf[chain.hook] : []).map((end) =>
      addBefore === 'end' || addBefore === undefined
        ? `add rule ${table} ${chain.name} ${end} "${bridgePrefix}*" counter accept`
        : `insert rule ${table} ${chain.name} handle ${addBefore.id} ${end} "${bridgePrefix}*" counter accept`,
    ),
  ])
  if (lines.length > 0) await spawner.mustRun(['nft', '-f', '-'], { input: [...lines, ''].join('\n') })
}

/** The old tables of the kernel, which nft neither shows nor changes. Asking after them would make them. */
function hasLegacyRules(): boolean {
  const names = '/proc/net/ip_tables_names'
  return existsSync(names) && readFileSync(names, 'utf8').split('\n').includes('filter')
}

async function passLegacy(spawner: Tools, bridgePrefix: string, wanted: boolean): Promise<void> {
  const iptables = ['iptables-legacy', '--wait', '10']
  const stdout = await spawner.mustRun([...iptables, '-S'])
  for (const { chain, remove, addBefore } of plans(chainsOfLegacy(stdout, bridgePrefix), wanted)) {
    for (const { id } of remove) await spawner.mustRun([...iptables, '-D', chain.name, ...id.split(' ')])
    if (!chain.hook || !addBefore) continue
    const others = chain.rules.filter((rule) => !rule.ours)
    const number = addBefore === 'end' ? others.length + 1 : others.indexOf(addBefore) + 1
    for (const end of endsOf[chain.hook]) {
      const option = end === 'iifname' ? '-i' : '-o'
      const rule = [option, `${bridgePrefix}+`, '-j', 'ACCEPT']
      await spawner.mustRun([...iptables, '-I', chain.name, String(number), ...rule])
    }
  }
}

/** Its zone for what is trusted takes our bridges, as it does Docker's and podman's; until it is restarted. */
async function passFirewalld(spawner: Tools, bridgePrefix: string, wanted: boolean): Promise<void> {
  const rules = await spawner.run(['nft', '--terse', 'list', 'table', ...firewalldTable.split(' ')])
  if (rules.code !== 0 || rules.stdout.includes(`"${bridgePrefix}*"`) === wanted) return
  const change = wanted ? '--add-interface' : '--remove-interface'
  await spawner.mustRun(['firewall-cmd', '--quiet', '--zone=trusted', `${change}=${bridgePrefix}+`])
}

function plans(chains: ForeignChain[], wanted: boolean): (ChainPlan & { chain: ForeignChain })[] {
  return chains.map((chain) => ({ chain, ...planFor(chain, chains, wanted) }))
}
