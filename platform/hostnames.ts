import { createHash } from 'node:crypto'
import type { Config } from './config.ts'

/**
 * Names that an app could be reached by, best first: the first one that nobody has is taken. The last one can't be
 * taken, since it is made from the app's own id.
 */
export function hostnameCandidates(
  config: Pick<Config, 'domain'>,
  place: { app: string; project: string; team: string; appId: string },
): string[] {
  const { app, project, team, appId } = place
  const suffix = config.domain ?? 'localhost'
  const unique = createHash('sha256').update(appId).digest('hex').slice(0, 10)
  const labels = [
    ...(config.domain === null ? [] : [app]),
    `${app}-${team}`,
    `${app}-${project}-${team}`,
    `${app.slice(0, 40)}-${unique}`,
  ]
  return labels.map((label) => `${asLabel(label)}.${suffix}`)
}

/** A label of DNS has at most 63 characters: a longer one ends in a hash of all of it. */
function asLabel(label: string): string {
  if (label.length <= 63) return label
  const hash = createHash('sha256').update(label).digest('hex').slice(0, 8)
  return `${label.slice(0, 54).replace(/-+$/, '')}-${hash}`
}
