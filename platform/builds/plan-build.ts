import { lockApp } from '../app-lock.ts'
import type { Transaction } from '../database.ts'
import { effectiveVariables, sealForDeployment } from '../effective-variables.ts'
import { appSettingsSchema } from '../model/app-settings.ts'
import { type BuildSettings, buildSettingsSchema } from '../model/builds.ts'
import type { Platform } from '../open.ts'
import type { DeploymentPlan } from '../queue-deployment.ts'

/**
 * A deployment of what is built next, wherever its source comes from. From now on the app is one that is built.
 * @param change of the app's settings, for this and later builds; its arguments are beside those that are there.
 */
export async function planBuild(
  platform: Platform,
  tx: Transaction,
  deploymentId: string,
  options: {
    appId: string
    teamId: string
    trigger: DeploymentPlan['trigger']
    change?: Partial<BuildSettings>
    build: NonNullable<DeploymentPlan['build']>
  },
): Promise<DeploymentPlan> {
  const { appId, teamId, trigger, change = {} } = options
  const app = await lockApp(tx, appId)
  const settings = appSettingsSchema.parse(app.settings)
  const args = { ...settings.build?.args, ...change.args }
  const build = buildSettingsSchema.parse({ ...settings.build, ...change, args })
  await tx.app.update({ where: { id: appId }, data: { settings: { ...settings, build } } })
  const team = await tx.team.findUniqueOrThrow({ where: { id: teamId }, select: { imageNamespace: true } })
  const { _max } = await tx.deployment.aggregate({ where: { appId }, _max: { number: true } })
  const repository = `${team.imageNamespace}/${app.slug}`
  const image = `${platform.config.registryHost}/${repository}:build-${(_max.number ?? 0) + 1}`
  const variables = sealForDeployment(platform, deploymentId, await effectiveVariables(platform, tx, app))
  return {
    trigger,
    toNumber: null,
    imageDigest: null,
    snapshot: {
      settings: { ...settings, build, image, follow: null },
      variablesVersion: app.variablesVersion,
      variables,
      followed: null,
    },
    build: options.build,
  }
}
