import { cookies } from 'next/headers'
import type { ReactNode } from 'react'
import { loadOpenTeams } from '../../_shell/load.ts'
import { Shell } from '../../_shell/shell.tsx'

export default async function AccountLayout({ children }: { children: ReactNode }) {
  const teams = await loadOpenTeams()
  const last = (await cookies()).get('berth-team')?.value
  return <Shell team={teams.find(({ slug }) => slug === last) ?? teams[0] ?? null}>{children}</Shell>
}
