import { createRoute } from '@hono/zod-openapi'
import { openTerminalSchema, terminalTicketSchema } from '../../../../platform/model/terminal.ts'
import { openTerminal } from '../../../../platform/terminals.ts'
import { type Api, asked, idParam, json, ok } from './router.ts'

export function addTerminalRoutes(api: Api): void {
  api.openapi(
    createRoute({
      ...{ method: 'post', path: '/apps/{id}/terminals', tags: ['Terminal'] },
      summary: 'Open a terminal in a running container',
      description:
        'Answers with a ticket for one WebSocket at `path` of this origin, within half a minute. Ask for the ' +
        'subprotocols `berth.terminal.v1` and `berth.ticket.<ticket>`. A binary message is a byte (0 input, 1 ' +
        'output, 2 errors) and bytes; a text message is JSON: `resize`, `taken` and `input-end` to the container, ' +
        '`ready`, `taken` and `exit` from it. Neither side sends more than 256 KiB beyond what the other says it has ' +
        'taken. The close code says why it ended. With `debug` it is beside the container, with tools of Berth’s own.',
      request: { params: idParam, body: json(openTerminalSchema, { required: false }) },
      responses: ok(terminalTicketSchema),
    }),
    async (c) => c.json(await openTerminal(...asked(c), c.req.valid('param').id, c.req.valid('json')), 200),
  )
}
