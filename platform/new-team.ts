import type { Transaction } from './database.ts'
import { newId } from './model/ids.ts'

/** A team nobody is in yet. Its slug is its first address, and for ever the first part of its images' names. */
export async function insertTeam(tx: Transaction, { name, slug }: { name: string; slug: string }) {
  return tx.team.create({
    data: { id: newId('team'), name, slug, imageNamespace: slug, addresses: { create: { slug } } },
  })
}
