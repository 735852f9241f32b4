import { randomUUID } from 'node:crypto'
import { bodyLimit } from 'hono/body-limit'
import type { Platform } from '../../../../platform/open.ts'
import { withRequestOrigin } from '../../../../platform/request-origin.ts'
import { requestOrigin } from '../../../_server/client-address.ts'
import { addAcmeRoutes } from './acme.ts'
import { addAdminRoutes } from './admin.ts'
import { addAlertRoutes } from './alerts.ts'
import { addAppRoutes } from './apps.ts'
import { addAuditRoutes } from './audit.ts'
import { addBuildRoutes, addUploadRoute } from './builds.ts'
import { addDeploymentRoutes } from './deployments.ts'
import { addDocs } from './docs.ts'
import { addDomainRoutes } from './domains.ts'
import { addEventRoutes, addLogDownloadRoute, addTimelineRoute } from './events.ts'
import { addFileRoutes, addFileUploadRoutes } from './files.ts'
import { addGitRoutes } from './git.ts'
import { checkBody, checkRoute, checkText } from './guards.ts'
import { idempotency } from './idempotency.ts'
import { identify } from './identify.ts'
import { addLogDrainRoutes } from './log-drains.ts'
import { addMailRoutes } from './mail.ts'
import { addMeRoute } from './me.ts'
import { addMemberRoutes } from './members.ts'
import { addMetricRoutes } from './metrics.ts'
import { addNotificationRoutes } from './notifications.ts'
import { addOperatorRoutes } from './operator.ts'
import { addPortRoutes } from './ports.ts'
import { ApiError, answerTo, problemResponse } from './problem.ts'
import { addProjectAccessRoutes } from './project-access.ts'
import { addProjectRoutes } from './projects.ts'
import { addRegistryRoutes } from './registries.ts'
import { addRepositoryRoutes } from './repositories.ts'
import { type Api, newRouter } from './router.ts'
import { addRunRoutes } from './runs.ts'
import { addSignInRoutes } from './sign-in.ts'
import { addTeamRoutes } from './teams.ts'
import { addTerminalRoutes } from './terminals.ts'
import { timeLimit } from './time-limit.ts'
import { addTokenRoutes } from './tokens.ts'
import { addTwoFactorRoutes } from './two-factor.ts'
import { addUsageRoutes } from './usage.ts'
import { addVariableRoutes } from './variables.ts'
import { addVolumeRoutes } from './volumes.ts'

const maxBodyBytes = 2 ** 20

/** The REST API, version 1, below /api/v1. Access is the platform's business: routes only say who asks. */
export function createApi(platform: Platform): Api {
  const api = newRouter()
  api.use(async (c, next) => {
    const given = c.req.header('x-request-id') ?? ''
    c.set('requestId', /^[\w-]{1,100}$/.test(given) ? given : randomUUID())
    c.set('platform', platform)
    await withRequestOrigin(requestOrigin(c.req.raw.headers), next)
    c.res.headers.set('x-request-id', c.get('requestId'))
    if (!c.res.headers.has('cache-control')) c.res.headers.set('cache-control', 'no-store')
  })
  api.onError((error, c) => {
    const answer = answerTo(error)
    const requestId = c.get('requestId')
    if (answer.code === 'internal' || answer.code === 'unavailable') {
      platform.log.error(
        { err: error, requestId, method: c.req.method, path: c.req.path },
        'a request failed',
      )
    }
    return problemResponse(answer, requestId)
  })
  api.notFound((c) =>
    problemResponse(answerTo(new ApiError('not-found', 'There is nothing here.')), c.get('requestId')),
  )
  api.use(timeLimit, checkRoute(api), checkText)
  addDocs(api)
  api.use(identify)
  const tooLarge = () => {
    throw new ApiError('too-large', 'The body is larger than 1 MiB.')
  }
  addUploadRoute(api)
  addFileUploadRoutes(api)
  api.use(bodyLimit({ maxSize: maxBodyBytes, onError: tooLarge }), checkBody, idempotency)
  addMeRoute(api)
  addTwoFactorRoutes(api)
  addTeamRoutes(api)
  addUsageRoutes(api)
  addMemberRoutes(api)
  addProjectRoutes(api)
  addProjectAccessRoutes(api)
  addAppRoutes(api)
  addVariableRoutes(api)
  addDomainRoutes(api)
  addPortRoutes(api)
  addVolumeRoutes(api)
  addRunRoutes(api)
  addTerminalRoutes(api)
  addFileRoutes(api)
  addMetricRoutes(api)
  addAlertRoutes(api)
  addDeploymentRoutes(api)
  addBuildRoutes(api)
  addGitRoutes(api)
  addEventRoutes(api)
  addLogDownloadRoute(api)
  addLogDrainRoutes(api)
  addTimelineRoute(api)
  addNotificationRoutes(api)
  addRegistryRoutes(api)
  addRepositoryRoutes(api)
  addTokenRoutes(api)
  addOperatorRoutes(api)
  addAuditRoutes(api)
  addAdminRoutes(api)
  addAcmeRoutes(api)
  addMailRoutes(api)
  addSignInRoutes(api)
  return api
}
