/** Routes of what belongs to an app: volumes, cron jobs, runs, ports, domains. */
import { signLeaf } from '../../../../platform/certificates/authority.ts'
import { newId } from '../../../../platform/model/ids.ts'
import { type Given, makeLive, type Uses } from './stand.ts'

function makeVolume({ call, app }: Given) {
  return call(`POST /apps/${app}/volumes`, { name: 'data', mountPath: '/data', sizeBytes: 2 ** 24 })
}

async function makeVolumeSnapshot(given: Given): Promise<string> {
  const volume = await makeVolume(given)
  const { body } = await given.call(`POST /volumes/${volume.body.id}/snapshots`)
  const id = String(body.id)
  await given.berth.platform.db.volumeSnapshot.update({ where: { id }, data: { status: 'ready' } })
  return id
}

function makeCronJob({ call, app }: Given) {
  return call(`POST /apps/${app}/cron-jobs`, { name: 'Nightly', schedule: '0 3 * * *', command: ['true'] })
}

function makeDomain({ call, app }: Given) {
  return call(`POST /apps/${app}/domains`, { name: `${app.replace('_', '-')}.test` })
}

async function bringCertificate(given: Given) {
  const { body } = await makeDomain(given)
  const names = [String(body.name)] as [string]
  const certificate = await signLeaf(given.berth.platform, names)
  return given.call(`PUT /domains/${body.id}/certificate`, { ...certificate })
}

/** Of a name that an authority signs, and that the team has shown. */
async function setRecords(given: Given) {
  const { body } = await makeDomain(given)
  const name = `${given.app.replace('_', '-')}.example`
  await given.berth.platform.db.domain.update({ where: { id: body.id }, data: { name, route: `${name}/` } })
  const hook = { kind: 'webhook', url: `http://${given.registry.host}/records`, token: 'token-of-a-hook' }
  given.secrets.add(hook.token)
  return given.call(`PUT /domains/${body.id}/records`, hook)
}

export const appPartUses: Uses = {
  'POST /apps/{id}/runs': async (given) => {
    await makeLive(given)
    return given.call(`POST /apps/${given.app}/runs`, { command: ['true'] })
  },
  'POST /apps/{id}/terminals': async (given) => {
    const { deployment: deploymentId } = given
    const container = { id: `${deploymentId}-0`, deploymentId, appId: given.app, hostId: given.host }
    await given.berth.platform.db.container.create({ data: { ...container, replica: 0, state: 'running' } })
    return given.call(`POST /apps/${given.app}/terminals`)
  },
  'POST /runs/{id}/cancel': async (given) => {
    await makeLive(given)
    const { body } = await given.call(`POST /apps/${given.app}/runs`, { command: ['true'] })
    return given.call(`POST /runs/${body.id}/cancel`)
  },
  'POST /apps/{id}/volumes': makeVolume,
  'PATCH /volumes/{id}': async (given) => {
    const { body } = await makeVolume(given)
    return given.call(`PATCH /volumes/${body.id}`, { mountPath: '/other' })
  },
  'DELETE /volumes/{id}': async (given) => {
    const { body } = await makeVolume(given)
    return given.call(`DELETE /volumes/${body.id}`)
  },
  'POST /volumes/{id}/undelete': async (given) => {
    const { body } = await makeVolume(given)
    await given.call(`DELETE /volumes/${body.id}`)
    return given.call(`POST /volumes/${body.id}/undelete`)
  },
  'POST /volumes/{id}/snapshots': async (given) => {
    const { body } = await makeVolume(given)
    return given.call(`POST /volumes/${body.id}/snapshots`, { note: 'before' })
  },
  'DELETE /volume-snapshots/{id}': async (given) =>
    given.call(`DELETE /volume-snapshots/${await makeVolumeSnapshot(given)}`),
  'POST /volume-snapshots/{id}/restore': async (given) =>
    given.call(`POST /volume-snapshots/${await makeVolumeSnapshot(given)}/restore`),
  'POST /apps/{id}/cron-jobs': makeCronJob,
  'PATCH /cron-jobs/{id}': async (given) => {
    const { body } = await makeCronJob(given)
    return given.call(`PATCH /cron-jobs/${body.id}`, { isEnabled: false })
  },
  'DELETE /cron-jobs/{id}': async (given) => {
    const { body } = await makeCronJob(given)
    return given.call(`DELETE /cron-jobs/${body.id}`)
  },
  'POST /cron-jobs/{id}/run': async (given) => {
    await makeLive(given)
    const { body } = await makeCronJob(given)
    return given.call(`POST /cron-jobs/${body.id}/run`)
  },
  'POST /apps/{id}/ports': ({ call, app }) => call(`POST /apps/${app}/ports`, { containerPort: 5432 }),
  'PATCH /apps/{id}/ports/{name}': async ({ call, app }) => {
    const { body } = await call(`POST /apps/${app}/ports`, { containerPort: 5432 })
    return call(`PATCH /apps/${app}/ports/${body.name}`, { containerPort: 5433 })
  },
  'DELETE /apps/{id}/ports/{name}': async ({ call, app }) => {
    const { body } = await call(`POST /apps/${app}/ports`, { containerPort: 5432 })
    return call(`DELETE /apps/${app}/ports/${body.name}`)
  },
  'POST /apps/{id}/domains': makeDomain,
  'POST /domains/{id}/check': async (given) => {
    const { body } = await makeDomain(given)
    return given.call(`POST /domains/${body.id}/check`)
  },
  'PATCH /domains/{id}': async (given) => {
    const { body } = await makeDomain(given)
    return given.call(`PATCH /domains/${body.id}`, { httpsRedirect: true })
  },
  'PUT /domains/{id}/certificate': bringCertificate,
  'POST /domains/{id}/certificate/try': async (given) => {
    const { body } = await makeDomain(given)
    const { project } = await given.berth.platform.db.app.findUniqueOrThrow({
      where: { id: given.app },
      select: { project: { select: { teamId: true } } },
    })
    const row = { name: String(body.name), ...project, source: 'acme', status: 'failed' }
    await given.berth.platform.db.certificate.create({ data: { id: newId('certificate'), ...row } })
    return given.call(`POST /domains/${body.id}/certificate/try`)
  },
  'DELETE /domains/{id}/certificate': async (given) => {
    const { body } = await bringCertificate(given)
    return given.call(`DELETE /domains/${body.id}/certificate`)
  },
  'PUT /domains/{id}/records': setRecords,
  'DELETE /domains/{id}/records': async (given) => {
    const { body } = await setRecords(given)
    return given.call(`DELETE /domains/${body.id}/records`)
  },
  'DELETE /domains/{id}': async (given) => {
    const { body } = await makeDomain(given)
    return given.call(`DELETE /domains/${body.id}`)
  },
}
