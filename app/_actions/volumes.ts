'use server'

import type {
  CreateVolumeInput,
  CreateVolumeSnapshotInput,
  UndeleteVolumeInput,
  UpdateVolumeInput,
  Volume,
  VolumeSnapshot,
} from '@/platform/model/volumes.ts'
import { createVolumeSnapshot, deleteVolumeSnapshot, restoreVolume } from '@/platform/volume-snapshots.ts'
import { createVolume, deleteVolume, undeleteVolume, updateVolume } from '@/platform/volumes.ts'
import type { ActionResult } from './result.ts'
import { asId, run } from './run.ts'

export async function createVolumeAction(
  appId: string,
  input: CreateVolumeInput,
): Promise<ActionResult<Volume>> {
  return run((platform, viewer) => createVolume(platform, viewer, asId(appId), input))
}

export async function updateVolumeAction(
  id: string,
  input: UpdateVolumeInput,
): Promise<ActionResult<Volume>> {
  return run((platform, viewer) => updateVolume(platform, viewer, asId(id), input))
}

export async function deleteVolumeAction(id: string): Promise<ActionResult<Volume>> {
  return run((platform, viewer) => deleteVolume(platform, viewer, asId(id)))
}

export async function undeleteVolumeAction(
  id: string,
  input: UndeleteVolumeInput,
): Promise<ActionResult<Volume>> {
  return run((platform, viewer) => undeleteVolume(platform, viewer, asId(id), input))
}

export async function snapshotVolumeAction(
  id: string,
  input: CreateVolumeSnapshotInput,
): Promise<ActionResult<VolumeSnapshot>> {
  return run((platform, viewer) => createVolumeSnapshot(platform, viewer, asId(id), input))
}

export async function deleteVolumeSnapshotAction(id: string): Promise<ActionResult> {
  return run(async (platform, viewer) => {
    await deleteVolumeSnapshot(platform, viewer, asId(id))
    return null
  })
}

export async function restoreVolumeAction(id: string): Promise<ActionResult<Volume>> {
  return run((platform, viewer) => restoreVolume(platform, viewer, asId(id)))
}
