import { createRoute, z } from '@hono/zod-openapi'
import { changePortSchema, publishPortSchema } from '../../../../platform/model/ports.ts'
import { changePort, listPorts, publishPort, removePort } from '../../../../platform/ports/ports.ts'
import { type Api, asked, basePath, created, idParam, json, noContent, ok } from './router.ts'
import { Port, PortList } from './schemas.ts'

const tags = ['Ports']

const portParam = idParam.extend({
  name: z.string().max(20).meta({ description: 'Protocol and number, such as tcp-20001' }),
})

export function addPortRoutes(api: Api): void {
  api.openapi(
    createRoute({
      ...{
        method: 'get',
        path: '/apps/{id}/ports',
        tags,
        summary: 'List the ports of the host that an app has',
      },
      description:
        'Those that it is set to have and those that lead to it now. `range`: which ports of a host apps may have.',
      request: { params: idParam },
      responses: ok(PortList),
    }),
    async (c) => c.json(await listPorts(...asked(c), c.req.valid('param').id), 200),
  )
  api.openapi(
    createRoute({
      ...{ method: 'post', path: '/apps/{id}/ports', tags, summary: 'Give an app a port of its host' },
      description:
        'For what does not speak HTTP, by TCP or UDP. It leads to a port of one of its processes from the next deployment ' +
        'on. Without `hostPort` one that is free is chosen. 409 for one that another app, Berth or a program of the ' +
        'host has.',
      request: { params: idParam, body: json(publishPortSchema) },
      responses: created(Port),
    }),
    async (c) => {
      const { id } = c.req.valid('param')
      const port = await publishPort(...asked(c), id, c.req.valid('json'))
      return c.json(port, 201, { location: `${basePath}/apps/${id}/ports/${port.name}` })
    },
  )
  api.openapi(
    createRoute({
      ...{ method: 'patch', path: '/apps/{id}/ports/{name}', tags, summary: 'Change where a port leads' },
      description: 'What is left out stays. The next deployment has it so.',
      request: { params: portParam, body: json(changePortSchema) },
      responses: ok(Port),
    }),
    async (c) => {
      const { id, name } = c.req.valid('param')
      return c.json(await changePort(...asked(c), id, name, c.req.valid('json')), 200)
    },
  )
  api.openapi(
    createRoute({
      ...{ method: 'delete', path: '/apps/{id}/ports/{name}', tags, summary: 'Take a port from an app' },
      description: 'The next deployment is without it; then others may have it.',
      request: { params: portParam },
      responses: noContent('The next deployment is without it.'),
    }),
    async (c) => {
      const { id, name } = c.req.valid('param')
      await removePort(...asked(c), id, name)
      return c.body(null, 204)
    },
  )
}
