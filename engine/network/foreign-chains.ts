/**
 * Chains of other firewalls on the host, and where in them what is left is dropped. Pure. A packet must pass every
 * table, so what ours lets through would end there. What such a chain drops for a reason stays dropped: ours is let
 * through only where the rest is. Sources: nft(8), libnftables-json(5), iptables(8).
 */

export type Hook = 'input' | 'forward' | 'output'

export interface ForeignChain {
  name: string
  /** Null for one that others jump to. */
  hook: Hook | null
  dropsByPolicy: boolean
  rules: ForeignRule[]
}

export interface ForeignRule {
  /** As the firewall knows it: a handle, or the words of the rule. */
  id: string
  /** Whether it names our bridges. */
  ours: boolean
  /** Whether it names bridges of any engine like us: several on one host stand beside each other. */
  ofAnEngine: boolean
  /** Whether it is for every packet. */
  always: boolean
  verdict: 'accept' | 'drop' | 'return' | { jump: string } | null
}

/** The ends that a chain must let our bridges through by, as interface options are called in nft. */
export const endsOf: Record<Hook, ('iifname' | 'oifname')[]> = {
  input: ['iifname'],
  forward: ['iifname', 'oifname'],
  output: ['oifname'],
}

export interface ChainPlan {
  /** Rules of ours that have no business where they are. */
  remove: ForeignRule[]
  /** Before which rule ours belong, or at the end; undefined when there is nothing to add. */
  addBefore: ForeignRule | 'end' | undefined
}

/** @param wanted whether our bridges are to get through; otherwise every trace of them goes */
export function planFor(chain: ForeignChain, chains: ForeignChain[], wanted: boolean): ChainPlan {
  const ours = chain.rules.filter((rule) => rule.ours)
  const rest = chain.rules.filter((rule) => !rule.ours)
  const end = chain.hook && wanted ? dropPoint({ ...chain, rules: rest }, chains) : null
  if (chain.hook === null || end === null) return { remove: ours, addBefore: undefined }
  const before = rest[end]
  const limit = before ? chain.rules.indexOf(before) : chain.rules.length
  // Right there and nowhere above: what was added meanwhile, or while the others loaded theirs anew, comes first.
  const from = chain.rules.slice(0, limit).findLastIndex((rule) => !rule.ofAnEngine) + 1
  const inPlace = chain.rules.slice(from, limit).filter((rule) => rule.ours)
  if (ours.length === endsOf[chain.hook].length && inPlace.length === ours.length)
    return { remove: [], addBefore: undefined }
  return { remove: ours, addBefore: before ?? 'end' }
}

/** Index of the rule from which on everything is dropped; the number of rules where the policy does it. */
function dropPoint(chain: ForeignChain, chains: ForeignChain[]): number | null {
  for (const [at, { always, verdict }] of chain.rules.entries()) {
    if (!always || verdict === null) continue
    if (verdict === 'drop') return at
    if (verdict === 'accept' || verdict === 'return') return null
    if (dropsAll(verdict.jump, chains, new Set([chain.name]))) return at
  }
  return chain.dropsByPolicy ? chain.rules.length : null
}

/** Whether nothing comes back from a chain. */
function dropsAll(name: string, chains: ForeignChain[], seen: Set<string>): boolean {
  const chain = chains.find((each) => each.name === name)
  if (!chain || seen.has(name)) return false
  for (const { always, verdict } of chain.rules) {
    if (verdict === 'return') return false
    if (!always || verdict === null) continue
    if (verdict === 'drop') return true
    if (verdict === 'accept') return false
    if (dropsAll(verdict.jump, chains, new Set([...seen, name]))) return true
  }
  return false
}

type Expression = Record<string, unknown>

export interface NftChain {
  family: string
  table: string
  name: string
  type?: string
  hook?: string
  policy?: string
}

interface NftRule {
  family: string
  table: string
  chain: string
  handle: number
  expr: Expression[]
}

interface NftListing {
  nftables: { chain?: NftChain; rule?: NftRule }[]
}

/** Of what `nft --json` lists, which is an object a line. */
const listed = (text: string) =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .flatMap((line) => (JSON.parse(line) as NftListing).nftables)

export const nftChains = (text: string): NftChain[] => listed(text).flatMap(({ chain }) => chain ?? [])

const hooks: string[] = Object.keys(endsOf)

/** Whether packets of containers come through it, and a firewall may drop them. */
export const isFilter = ({ family, type, hook }: NftChain) =>
  ['ip', 'inet'].includes(family) && type === 'filter' && hook !== undefined && hooks.includes(hook)

/** All chains of one table, from what `nft --json --handle list table` says of it. */
export function chainsOfNft(text: string, bridgePrefix: string): ForeignChain[] {
  const rules = listed(text).flatMap(({ rule }) => rule ?? [])
  return nftChains(text).map((chain) => ({
    name: chain.name,
    hook: isFilter(chain) ? (chain.hook as Hook) : null,
    dropsByPolicy: chain.policy === 'drop',
    rules: rules
      .filter((rule) => rule.chain === chain.name)
      .map(({ handle, expr }) => ({
        id: String(handle),
        ours: JSON.stringify(expr).includes(`"${bridgePrefix}*"`),
        ofAnEngine: /"bth\w*-\*"/.test(JSON.stringify(expr)),
        always: expr.every((one) => isHarmless(one) || verdictOf(one) !== null),
        verdict: expr.map(verdictOf).find((verdict) => verdict !== null) ?? null,
      })),
  }))
}

const isHarmless = (one: Expression) =>
  'counter' in one || 'log' in one || (one.xt as { name?: string } | undefined)?.name === 'comment'

function verdictOf(one: Expression): ForeignRule['verdict'] {
  const { jump, goto } = one as Record<string, { target?: string } | undefined>
  const target = (one.xt as { name?: string } | undefined)?.name
  if ('drop' in one || 'reject' in one || target === 'REJECT') return 'drop'
  if ('accept' in one) return 'accept'
  if ('return' in one) return 'return'
  const to = jump?.target ?? goto?.target
  return to === undefined ? null : { jump: to }
}

const builtIn: Record<string, Hook> = { INPUT: 'input', FORWARD: 'forward', OUTPUT: 'output' }
const legacyVerdicts: Record<string, ForeignRule['verdict']> = {
  ACCEPT: 'accept',
  DROP: 'drop',
  REJECT: 'drop',
  RETURN: 'return',
  LOG: null,
}

/** From what `iptables-legacy -S` says of the table filter. */
export function chainsOfLegacy(text: string, bridgePrefix: string): ForeignChain[] {
  const lines = text.split('\n').map((line) => line.trim())
  const chains = lines.flatMap((line): ForeignChain[] => {
    const [, name, policy] = /^-[PN] (\S+)(?: (\S+))?$/.exec(line) ?? []
    return name === undefined
      ? []
      : [{ name, hook: builtIn[name] ?? null, dropsByPolicy: policy === 'DROP', rules: [] }]
  })
  for (const line of lines) {
    const [, name, words = ''] = /^-A (\S+) (.*)$/.exec(line) ?? []
    const [, conditions = '', target = ''] = /^(.*?)-[jg] (\S+)/.exec(words) ?? []
    chains
      .find((chain) => chain.name === name)
      ?.rules.push({
        id: words,
        ours: words.includes(` ${bridgePrefix}+ `),
        ofAnEngine: / bth\w*-\+ /.test(words),
        always: target !== '' && conditions.replace(/-m comment --comment ("[^"]*"|\S+)/, '').trim() === '',
        verdict: target in legacyVerdicts ? (legacyVerdicts[target] ?? null) : { jump: target },
      })
  }
  return chains
}
