import type { Viewer } from './access.ts'
import { PlatformError } from './errors.ts'
import type { PageInput } from './model/inputs.ts'
import type { Page, VariableVersion } from './model/resources.ts'
import { type VersionVariables, versionVariablesSchema } from './model/variable-version.ts'
import type { Platform } from './open.ts'
import { afterNumber, parsePage, toPage } from './pages.ts'
import { unseal } from './secrets.ts'
import { requireReach } from './variable-checks.ts'
import { sealingContext, type VariableOwner, variableAccess } from './variable-owner.ts'
import { changeVariables, sealVariables } from './variables.ts'

/** What changed, when and by whom, newest first. The oldest that is kept tells of itself, not of what was before. */
export async function listVariableVersions(
  platform: Platform,
  viewer: Viewer,
  owner: VariableOwner,
  pageInput?: PageInput,
): Promise<Page<VariableVersion>> {
  await variableAccess(platform, viewer, owner, 'variable.read')
  const page = parsePage(pageInput)
  const rows = await platform.db.variableVersion.findMany({
    where: { ...owner, number: { lt: afterNumber(page) } },
    orderBy: { number: 'desc' },
    // One more than the page and its sign of a next one: what the last of them is compared with.
    take: page.limit + 2,
  })
  const parsed = rows.map((row) => ({ ...row, variables: versionVariablesSchema.parse(row.variables) }))
  const before = new Map(parsed.map((row, at) => [row.number, parsed[at + 1]?.variables ?? []]))
  return toPage(
    parsed.slice(0, page.limit + 1),
    page.limit,
    (row) => row.number,
    (row) => ({
      number: row.number,
      by: row.actorName,
      createdAt: row.createdAt.toISOString(),
      changes: changesOf(platform, owner, before.get(row.number) ?? [], row.variables),
    }),
  )
}

/** Puts back what a version had. Throws `not-found` when it is not kept, and what setVariables() throws. */
export async function restoreVariables(
  platform: Platform,
  viewer: Viewer,
  owner: VariableOwner,
  number: number,
): Promise<void> {
  const place = await variableAccess(platform, viewer, owner, 'variable.write')
  const row = await platform.db.variableVersion.findFirst({ where: { ...owner, number } })
  if (row === null)
    throw new PlatformError('not-found', `There is no version ${number} of the variables, or it is not kept.`)
  const wanted = versionVariablesSchema.parse(row.variables)
  const set = wanted.map(({ sealedValue, ...variable }) => ({
    ...variable,
    value: unseal(platform.keyring, sealedValue, sealingContext(owner, variable.name)),
  }))
  await requireReach(platform, viewer, place, set)
  await changeVariables(platform, viewer, place, async (tx) => {
    const names = set.map(({ name }) => name)
    const gone = await tx.variable.findMany({
      where: { ...owner, name: { notIn: names } },
      select: { name: true },
    })
    await tx.variable.deleteMany({ where: { ...owner, name: { notIn: names } } })
    await sealVariables(platform, tx, owner, set)
    return { set, removed: gone.map(({ name }) => name) }
  })
}

type Changes = VariableVersion['changes']

function changesOf(
  platform: Platform,
  owner: VariableOwner,
  before: VersionVariables,
  after: VersionVariables,
): Changes {
  const old = new Map(before.map((variable) => [variable.name, variable]))
  const now = new Map(after.map((variable) => [variable.name, variable]))
  const names = [...new Set([...old.keys(), ...now.keys()])].sort()
  const open = (name: string, sealedValue: string) =>
    unseal(platform.keyring, sealedValue, sealingContext(owner, name))
  return names.flatMap((name): Changes => {
    const [was, is] = [old.get(name), now.get(name)]
    const values = [was, is].map((one) => (one === undefined ? null : open(name, one.sealedValue)))
    const isSecret = was?.isSecret === true || is?.isSecret === true
    if (was !== undefined && is !== undefined) {
      const same = was.isSecret === is.isSecret && was.filePath === is.filePath
      if (same && values[0] === values[1]) return []
    }
    const change = was === undefined ? 'added' : is === undefined ? 'removed' : 'changed'
    const [first, second] = isSecret ? [null, null] : values
    return [{ name, change, isSecret, before: first ?? null, after: second ?? null }]
  })
}
