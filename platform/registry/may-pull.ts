import type { Config } from '../config.ts'
import type { Transaction } from '../database.ts'
import { PlatformError } from '../errors.ts'
import { ownRepository } from './own-name.ts'
import { splitName } from './scope.ts'

/**
 * Whether a team's apps may run what this names, as far as Berth decides: in its own registry the team's repositories
 * and public ones. The worker's token (`pullToken`) allows the same, and whether the image is in there is the registry's
 * answer. Throws `forbidden` in words that are the same for what is private and for what does not exist.
 */
export async function assertMayPull(
  tx: Transaction,
  config: Pick<Config, 'registryHost'>,
  teamId: string,
  imageRef: string,
): Promise<void> {
  const path = ownRepository(config, imageRef)
  if (path === null) return
  const parts = splitName(path)
  if (parts !== null) {
    const team = await tx.team.findFirst({
      where: { imageNamespace: parts.namespace, deletedAt: null },
      select: { id: true },
    })
    if (team?.id === teamId) return
    const where = { teamId: team?.id ?? '', name: parts.repository, isPublic: true }
    if (team !== null && (await tx.repository.count({ where })) > 0) return
  }
  throw new PlatformError(
    'forbidden',
    `This team may not pull from ${config.registryHost}/${path}: the repository is another team's and private, or does not exist. Push the image to a repository of this team, or have the other team make theirs public.`,
  )
}
