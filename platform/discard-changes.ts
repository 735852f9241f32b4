import type { Viewer } from './access.ts'
import { appAccess } from './app-access.ts'
import { changeSettings } from './change-settings.ts'
import { PlatformError } from './errors.ts'
import {
  type DiscardChangesInput,
  discardChangesSchema,
  type PendingChanges,
} from './model/pending-changes.ts'
import type { Platform } from './open.ts'
import { type Compared, compareWithLive, pendingChanges } from './pending-changes.ts'
import { withLiveFields } from './pending-settings.ts'
import { validate } from './validate.ts'
import { requireReach } from './variable-checks.ts'
import { variableAccess } from './variable-owner.ts'
import { changeVariables, sealVariables } from './variables.ts'

/**
 * Puts back what was changed and not deployed: all of it, or these fields. It is a change like any other, in the audit
 * log and as a version of the variables. Answers with what still waits. A field that does not wait any more is as it
 * should be. Throws `conflict` for a change that was not made in the app, and whatever changing a variable throws.
 */
export async function discardChanges(
  platform: Platform,
  viewer: Viewer,
  appId: string,
  input: DiscardChangesInput,
): Promise<PendingChanges> {
  const place = await appAccess(platform, viewer, appId, 'app.update')
  const { fields } = validate(discardChangesSchema, input)
  const compare = () => platform.db.$transaction((tx) => compareWithLive(platform, tx, appId))
  const waiting = await compare()
  requireOwn(waiting, fields ?? [])
  const isAsked = (field: string) => fields === undefined || fields.includes(field)
  const ofApp = ({ variables }: Compared) =>
    variables.filter(({ name, source }) => source === 'app' && isAsked(`variables.${name}`))

  // The variables first: they may be refused, and then nothing has changed.
  const variables = ofApp(waiting)
  if (variables.length > 0) {
    const owner = { appId }
    const variablePlace = await variableAccess(platform, viewer, owner, 'variable.write')
    await requireReach(
      platform,
      viewer,
      variablePlace,
      variables.flatMap(({ putBack }) => putBack ?? []),
    )
    await changeVariables(platform, viewer, variablePlace, async (tx) => {
      // Somebody may have changed or deployed them meanwhile.
      const now = ofApp(await compareWithLive(platform, tx, appId))
      const set = now.flatMap(({ putBack }) => putBack ?? [])
      const removed = now.flatMap(({ name, putBack }) => (putBack === null ? [name] : []))
      await tx.variable.deleteMany({ where: { ...owner, name: { in: removed } } })
      await sealVariables(platform, tx, owner, set)
      return { set, removed }
    })
  }
  const settings = waiting.settings.map(({ field }) => field).filter(isAsked)
  const { liveSettings } = waiting
  if (settings.length > 0 && liveSettings !== null)
    await changeSettings(platform, viewer, place, {
      next: (current) => withLiveFields(current, liveSettings, settings),
    })
  return pendingChanges(platform, viewer, appId)
}

function requireOwn({ variables, volumes }: Compared, fields: string[]): void {
  for (const [at, field] of fields.entries()) {
    const variable = variables.find(({ name }) => `variables.${name}` === field)
    const isElsewhere = variable !== undefined && variable.source !== 'app'
    if (!isElsewhere && !volumes.some((volume) => volume.field === field)) continue
    const where =
      variable === undefined
        ? 'is a volume: remove it among the app’s volumes'
        : variable.source === 'shared'
          ? 'is shared by the apps of the environment: put it back there'
          : 'refers to something that changed: put that back, or change the reference'
    const fields = [{ path: `fields.${at}`, message: where }]
    throw new PlatformError('conflict', `${field} ${where}.`, { fields })
  }
}
