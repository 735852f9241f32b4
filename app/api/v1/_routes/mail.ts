import { createRoute, z } from '@hono/zod-openapi'
import { changeMail, readMail, removeMail, testMail } from '../../../../platform/mail/settings.ts'
import {
  mailSettingsSchema,
  mailStateSchema,
  testMailSchema,
} from '../../../../platform/model/mail-settings.ts'
import { type Api, asked, json, noContent, ok } from './router.ts'

const tags = ['Administration']
const MailState = mailStateSchema.meta({ id: 'MailState' })

/** How the installation sends e-mail. */
export function addMailRoutes(api: Api): void {
  api.openapi(
    createRoute({
      ...{ method: 'get', path: '/admin/mail', tags, summary: 'How e-mail is sent' },
      responses: ok(MailState),
    }),
    async (c) => c.json(await readMail(...asked(c)), 200),
  )
  api.openapi(
    createRoute({
      ...{ method: 'put', path: '/admin/mail', tags, summary: 'Set how e-mail is sent' },
      description: 'Without `password` the one that is kept stays, as long as `host` and `user` do.',
      request: { body: json(mailSettingsSchema) },
      responses: ok(MailState),
    }),
    async (c) => c.json(await changeMail(...asked(c), c.req.valid('json')), 200),
  )
  api.openapi(
    createRoute({
      ...{ method: 'delete', path: '/admin/mail', tags, summary: 'Send no e-mail' },
      description: 'Links are shown to be passed on then. 409 while registration needs e-mail.',
      responses: noContent('None is sent'),
    }),
    async (c) => {
      await removeMail(...asked(c))
      return c.body(null, 204)
    },
  )
  api.openapi(
    createRoute({
      ...{ method: 'post', path: '/admin/mail/test', tags, summary: 'Send a test message' },
      description: 'At once, and not through the queue. Answers with what the mail server said.',
      request: { body: json(testMailSchema) },
      responses: ok(
        z
          .object({
            taken: z.boolean().meta({ description: 'Whether the server took the letter.' }),
            answer: z.string().meta({ description: 'Its own words, or why it could not be asked.' }),
          })
          .meta({ id: 'TestMailAnswer' }),
      ),
    }),
    async (c) => c.json(await testMail(...asked(c), c.req.valid('json')), 200),
  )
}
