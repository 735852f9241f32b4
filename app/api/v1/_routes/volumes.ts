import { createRoute, z } from '@hono/zod-openapi'
import {
  createVolumeSchema,
  createVolumeSnapshotSchema,
  undeleteVolumeSchema,
  updateVolumeSchema,
} from '../../../../platform/model/volumes.ts'
import {
  createVolumeSnapshot,
  deleteVolumeSnapshot,
  restoreVolume,
} from '../../../../platform/volume-snapshots.ts'
import {
  createVolume,
  deleteVolume,
  getVolume,
  listLeftVolumes,
  listVolumes,
  undeleteVolume,
  updateVolume,
} from '../../../../platform/volumes.ts'
import { type Api, accepted, asked, basePath, created, idParam, json, noContent, ok } from './router.ts'
import { pageOf, Volume, VolumeSnapshot } from './schemas.ts'

const tags = ['Volumes']
const nothing = json(z.strictObject({}), { required: false })

/** What apps keep, and copies of it. */
export function addVolumeRoutes(api: Api): void {
  api.openapi(
    createRoute({
      ...{ method: 'get', path: '/apps/{id}/volumes', tags, summary: 'List an app’s volumes' },
      description: 'By name, with their snapshots; those too whose deletion can be undone.',
      request: { params: idParam },
      responses: ok(pageOf(Volume)),
    }),
    async (c) => {
      const data = await listVolumes(...asked(c), c.req.valid('param').id)
      return c.json({ data, nextCursor: null }, 200)
    },
  )
  api.openapi(
    createRoute({
      ...{ method: 'get', path: '/projects/{id}/volumes', tags, summary: 'List volumes of deleted apps' },
      description: 'Those of the project that can be given to another app of it until their `purgeAt`.',
      request: { params: idParam },
      responses: ok(pageOf(Volume)),
    }),
    async (c) => {
      const data = await listLeftVolumes(...asked(c), c.req.valid('param').id)
      return c.json({ data, nextCursor: null }, 200)
    },
  )
  api.openapi(
    createRoute({
      ...{ method: 'post', path: '/apps/{id}/volumes', tags, summary: 'Make a volume' },
      description:
        'The app has it from its next deployment on, in the containers of its process `web`, of which there is one ' +
        'at a time. It can’t outgrow its size.',
      request: { params: idParam, body: json(createVolumeSchema) },
      responses: created(Volume),
    }),
    async (c) => {
      const volume = await createVolume(...asked(c), c.req.valid('param').id, c.req.valid('json'))
      return c.json(volume, 201, { Location: `${basePath}/volumes/${volume.id}` })
    },
  )
  api.openapi(
    createRoute({
      ...{ method: 'get', path: '/volumes/{id}', tags, summary: 'Read a volume' },
      request: { params: idParam },
      responses: ok(Volume),
    }),
    async (c) => c.json(await getVolume(...asked(c), c.req.valid('param').id), 200),
  )
  api.openapi(
    createRoute({
      ...{ method: 'patch', path: '/volumes/{id}', tags, summary: 'Change a volume' },
      description:
        'Only what is given changes. Another name or path is taken by the next deployment; for another size the app ' +
        'is stopped and started again at once.',
      request: { params: idParam, body: json(updateVolumeSchema) },
      responses: ok(Volume),
    }),
    async (c) => c.json(await updateVolume(...asked(c), c.req.valid('param').id, c.req.valid('json')), 200),
  )
  api.openapi(
    createRoute({
      ...{ method: 'delete', path: '/volumes/{id}', tags, summary: 'Delete a volume' },
      description:
        'The next deployment has it no more. It and its snapshots are removed seven days later, unless that is undone ' +
        'before or what is live still has it.',
      request: { params: idParam },
      responses: accepted(Volume, 'It is removed at its `purgeAt`'),
    }),
    async (c) => c.json(await deleteVolume(...asked(c), c.req.valid('param').id), 202),
  )
  api.openapi(
    createRoute({
      ...{ method: 'post', path: '/volumes/{id}/undelete', tags, summary: 'Undo the deletion of a volume' },
      description: 'One whose app is gone is given to another app of the project: `appId`.',
      request: { params: idParam, body: json(undeleteVolumeSchema, { required: false }) },
      responses: ok(Volume),
    }),
    async (c) => c.json(await undeleteVolume(...asked(c), c.req.valid('param').id, c.req.valid('json')), 200),
  )
  api.openapi(
    createRoute({
      ...{ method: 'post', path: '/volumes/{id}/snapshots', tags, summary: 'Take a snapshot of a volume' },
      description:
        'The volume as it is at one moment. Its file system is frozen while it is copied: who writes waits.',
      request: { params: idParam, body: json(createVolumeSnapshotSchema, { required: false }) },
      responses: accepted(VolumeSnapshot, 'Reading the volume tells when it is ready'),
    }),
    async (c) => {
      const input = c.req.valid('json')
      return c.json(await createVolumeSnapshot(...asked(c), c.req.valid('param').id, input), 202)
    },
  )
  api.openapi(
    createRoute({
      ...{ method: 'delete', path: '/volume-snapshots/{id}', tags, summary: 'Delete a snapshot of a volume' },
      request: { params: idParam },
      responses: noContent('Its host removes it'),
    }),
    async (c) => {
      await deleteVolumeSnapshot(...asked(c), c.req.valid('param').id)
      return c.body(null, 204)
    },
  )
  api.openapi(
    createRoute({
      ...{ method: 'post', path: '/volume-snapshots/{id}/restore', tags, summary: 'Restore a volume' },
      description:
        'The volume is as it was then; as it is now becomes a snapshot, too. The app is stopped for the moment in ' +
        'which the one takes the place of the other.',
      request: { params: idParam, body: nothing },
      responses: accepted(
        Volume,
        'Its `task` is null when it is done, and `problem` tells why it could not be',
      ),
    }),
    async (c) => c.json(await restoreVolume(...asked(c), c.req.valid('param').id), 202),
  )
}
