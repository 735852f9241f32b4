import { createRoute, z } from '@hono/zod-openapi'
import { listAppAlerts, listHostAlerts, listTeamAlerts } from '../../../../platform/alerts/current.ts'
import {
  listAppAlertRules,
  listHostAlertRules,
  resetAppAlertRule,
  resetHostAlertRule,
  setAppAlertRule,
  setHostAlertRule,
} from '../../../../platform/alerts/rules.ts'
import { appAlertRules, hostAlertRules, setAlertRuleSchema } from '../../../../platform/model/alerts.ts'
import { type Api, asked, idParam, json, ok, teamParam } from './router.ts'
import { Alert, AlertRule, pageOf } from './schemas.ts'
import { teamIdOf } from './teams.ts'

const tags = ['Alerts']
const whole = <Item>(data: Item[]) => ({ data, nextCursor: null })

export function addAlertRoutes(api: Api): void {
  for (const { of, path, rules, now, list, set, reset } of [
    {
      ...{ of: 'an app', path: '/apps/{id}', rules: appAlertRules, now: listAppAlerts },
      ...{ list: listAppAlertRules, set: setAppAlertRule, reset: resetAppAlertRule },
    },
    {
      ...{ of: 'a host', path: '/admin/hosts/{id}', rules: hostAlertRules, now: listHostAlerts },
      ...{ list: listHostAlertRules, set: setHostAlertRule, reset: resetHostAlertRule },
    },
  ] as const) {
    const ruleParam = idParam.extend({
      rule: z
        .string()
        .max(100)
        .meta({ description: `One of ${rules.join(', ')}` }),
    })
    api.openapi(
      createRoute({
        ...{
          method: 'get',
          path: `${path}/alerts`,
          tags,
          summary: `List what fires of ${of}, or is about to`,
        },
        request: { params: idParam },
        responses: ok(pageOf(Alert)),
      }),
      async (c) => c.json(whole(await now(...asked(c), c.req.valid('param').id)), 200),
    )
    api.openapi(
      createRoute({
        ...{ method: 'get', path: `${path}/alert-rules`, tags, summary: `List the alert rules of ${of}` },
        description: 'All there are, with what each says, how it stands, and the value that it is judged by.',
        request: { params: idParam },
        responses: ok(pageOf(AlertRule)),
      }),
      async (c) => c.json(whole(await list(...asked(c), c.req.valid('param').id)), 200),
    )
    api.openapi(
      createRoute({
        ...{ method: 'put', path: `${path}/alert-rules/{rule}`, tags },
        summary: `Change an alert rule of ${of}`,
        description:
          'What is left away is as by default. `threshold` is percent, restarts, milliseconds, days or minutes, as the rule is. One ' +
          'that is switched off while it fires is over at once.',
        request: { params: ruleParam, body: json(setAlertRuleSchema) },
        responses: ok(AlertRule),
      }),
      async (c) => c.json(await set(...asked(c), c.req.valid('param'), c.req.valid('json')), 200),
    )
    api.openapi(
      createRoute({
        ...{ method: 'delete', path: `${path}/alert-rules/{rule}`, tags },
        summary: `Set an alert rule of ${of} back to its default`,
        request: { params: ruleParam },
        responses: ok(AlertRule),
      }),
      async (c) => c.json(await reset(...asked(c), c.req.valid('param')), 200),
    )
  }
  api.openapi(
    createRoute({
      ...{ method: 'get', path: '/teams/{team}/alerts', tags },
      summary: 'List what fires of a team’s apps, or is about to',
      request: { params: teamParam },
      responses: ok(pageOf(Alert)),
    }),
    async (c) => {
      const teamId = await teamIdOf(c, c.req.valid('param').team)
      return c.json(whole(await listTeamAlerts(...asked(c), teamId)), 200)
    },
  )
}
