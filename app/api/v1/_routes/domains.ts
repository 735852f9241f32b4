import { createRoute, z } from '@hono/zod-openapi'
import {
  removeCertificate,
  setCertificate,
  tryCertificateNow,
} from '../../../../platform/domains/certificate.ts'
import { changeDomain } from '../../../../platform/domains/change.ts'
import { addDomain, checkDomainNow, listDomains, removeDomain } from '../../../../platform/domains/domains.ts'
import { removeRecordsBy, setRecordsBy } from '../../../../platform/domains/records.ts'
import { certificateInputSchema } from '../../../../platform/model/certificates.ts'
import { addDomainSchema, changeDomainSchema } from '../../../../platform/model/domains.ts'
import { recordSetterSchema } from '../../../../platform/model/record-setter.ts'
import { type Api, asked, created, idParam, json, noContent, ok } from './router.ts'
import { Domain, pageOf } from './schemas.ts'

const tags = ['Domains']

export function addDomainRoutes(api: Api): void {
  api.openapi(
    createRoute({
      ...{
        method: 'get',
        path: '/apps/{id}/domains',
        tags,
        summary: 'List the names that an app is reached by',
      },
      description: 'All of them, the one that Berth made first.',
      request: { params: idParam },
      responses: ok(pageOf(Domain)),
    }),
    async (c) => {
      const data = await listDomains(...asked(c), c.req.valid('param').id)
      return c.json({ data, nextCursor: null }, 200)
    },
  )
  api.openapi(
    createRoute({
      ...{ method: 'post', path: '/apps/{id}/domains', tags, summary: 'Add a name to an app' },
      description:
        'An exact name or a wildcard, with a path prefix or not; or one that sends visitors on. It leads to the app when ' +
        'it is shown that the team may use it: by the TXT record in the answer, or, but for wildcards, since it leads ' +
        'to this Berth already. Berth looks again and again, for a week.',
      request: { params: idParam, body: json(addDomainSchema) },
      responses: created(Domain),
    }),
    async (c) => c.json(await addDomain(...asked(c), c.req.valid('param').id, c.req.valid('json')), 201),
  )
  api.openapi(
    createRoute({
      ...{ method: 'post', path: '/domains/{id}/check', tags, summary: 'Look at a name now' },
      description: 'Asks the name service and the name itself, and says what was found.',
      request: { params: idParam, body: json(z.strictObject({}), { required: false }) },
      responses: ok(Domain),
    }),
    async (c) => c.json(await checkDomainNow(...asked(c), c.req.valid('param').id), 200),
  )
  api.openapi(
    createRoute({
      ...{ method: 'patch', path: '/domains/{id}', tags, summary: 'Change how a name is served' },
      description:
        'What is left out stays. Whether visitors by HTTP are sent on to HTTPS counts once there is a certificate.',
      request: { params: idParam, body: json(changeDomainSchema) },
      responses: ok(Domain),
    }),
    async (c) => c.json(await changeDomain(...asked(c), c.req.valid('param').id, c.req.valid('json')), 200),
  )
  api.openapi(
    createRoute({
      ...{
        method: 'put',
        path: '/domains/{id}/certificate',
        tags,
        summary: 'Bring a certificate for a name',
      },
      description:
        'PEM of the certificate with its chain, and of its key, which is sealed and never shown again. It is checked to ' +
        'the last: it must be for the name, in order, in force, and strong enough. Berth does not renew it.',
      request: { params: idParam, body: json(certificateInputSchema) },
      responses: ok(Domain),
    }),
    async (c) => c.json(await setCertificate(...asked(c), c.req.valid('param').id, c.req.valid('json')), 200),
  )
  api.openapi(
    createRoute({
      ...{
        method: 'post',
        path: '/domains/{id}/certificate/try',
        tags,
        summary: 'Ask for a certificate now',
      },
      description:
        'Instead of at `issuance.nextAt`. Three times in ten minutes at most: authorities count failures.',
      request: { params: idParam, body: json(z.strictObject({}), { required: false }) },
      responses: ok(Domain),
    }),
    async (c) => c.json(await tryCertificateNow(...asked(c), c.req.valid('param').id), 200),
  )
  api.openapi(
    createRoute({
      ...{ method: 'delete', path: '/domains/{id}/certificate', tags },
      summary: 'Remove the certificate that was brought for a name',
      description: 'Berth looks after it by itself again. 409 where none was brought.',
      request: { params: idParam },
      responses: noContent('It is served no more.'),
    }),
    async (c) => {
      await removeCertificate(...asked(c), c.req.valid('param').id)
      return c.body(null, 204)
    },
  )
  api.openapi(
    createRoute({
      ...{ method: 'put', path: '/domains/{id}/records', tags },
      summary: "Have the records for a name's certificate set by themselves",
      description:
        'By dynamic updates that are signed with a key (RFC 2136, TSIG), or by requests to a webhook. It is tried at once, ' +
        'with a record that is cleared again. Keys and tokens are sealed and never shown again. The certificate is then ' +
        'asked for by DNS-01, whatever the name, and renewed by nobody’s hand.',
      request: { params: idParam, body: json(recordSetterSchema) },
      responses: ok(Domain),
    }),
    async (c) => c.json(await setRecordsBy(...asked(c), c.req.valid('param').id, c.req.valid('json')), 200),
  )
  api.openapi(
    createRoute({
      ...{ method: 'delete', path: '/domains/{id}/records', tags },
      summary: "Set the records for a name's certificate by hand again",
      description: '409 where they are.',
      request: { params: idParam },
      responses: noContent('They are set by hand from now on.'),
    }),
    async (c) => {
      await removeRecordsBy(...asked(c), c.req.valid('param').id)
      return c.body(null, 204)
    },
  )
  api.openapi(
    createRoute({
      ...{ method: 'delete', path: '/domains/{id}', tags, summary: 'Remove a name from its app' },
      request: { params: idParam },
      responses: noContent('It leads nowhere any more.'),
    }),
    async (c) => {
      await removeDomain(...asked(c), c.req.valid('param').id)
      return c.body(null, 204)
    },
  )
}
