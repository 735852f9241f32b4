import { OpenAPIHono, z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import type { Viewer } from '../../../../platform/access.ts'
import { notFound } from '../../../../platform/access.ts'
import type { Platform } from '../../../../platform/open.ts'
import { invalidInput } from '../../../../platform/validate.ts'
import { problemSchema } from './problem.ts'

export interface ApiEnv {
  Variables: {
    requestId: string
    platform: Platform
    viewer: Viewer
  }
}

export type Api = OpenAPIHono<ApiEnv>
export type ApiContext = Context<ApiEnv>

export const basePath = '/api/v1'

/** Routes are written, matched and described without the base path, which is the document's server. */
export function newRouter(): Api {
  return new OpenAPIHono<ApiEnv>({
    getPath: (request) => new URL(request.url).pathname.slice(basePath.length) || '/',
    defaultHook(result) {
      if (result.success) return
      // An id of the wrong shape is an id of nothing.
      if (result.target === 'param') throw notFound('resource')
      throw invalidInput(result.error)
    },
  })
}

/** Platform and viewer of a request, in the order in which the platform's functions take them. */
export function asked(c: ApiContext): [Platform, Viewer] {
  return [c.get('platform'), c.get('viewer')]
}

export const idParam = z.object({ id: z.string().max(100).meta({ description: 'Id, such as app_01jd…' }) })
export const teamParam = z.object({
  team: z.string().max(100).meta({ description: 'Id or slug of the team' }),
})

const problems = {
  default: {
    description: 'A problem; its `code` says which.',
    content: { 'application/problem+json': { schema: problemSchema } },
  },
}

/** Responses of a route that answers 200. */
export function ok<Schema extends z.ZodType>(schema: Schema, description = 'OK') {
  return { 200: { description, content: { 'application/json': { schema } } }, ...problems }
}

const location = { Location: { schema: { type: 'string' as const }, description: 'Path of what was made' } }

export function created<Schema extends z.ZodType>(schema: Schema) {
  return {
    201: { description: 'Made', headers: location, content: { 'application/json': { schema } } },
    ...problems,
  }
}

/** Work that goes on after the answer. */
export function accepted<Schema extends z.ZodType>(schema: Schema, description: string) {
  return { 202: { description, headers: location, content: { 'application/json': { schema } } }, ...problems }
}

export function noContent(description: string) {
  return { 204: { description }, ...problems }
}

export function json<Schema extends z.ZodType>(schema: Schema, options: { required?: boolean } = {}) {
  return { required: options.required ?? true, content: { 'application/json': { schema } } }
}
