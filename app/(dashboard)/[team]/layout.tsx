import { loadTeam } from '../../_shell/load.ts'
import { Shell } from '../../_shell/shell.tsx'

export default async function TeamLayout({ params, children }: LayoutProps<'/[team]'>) {
  return <Shell team={await loadTeam((await params).team)}>{children}</Shell>
}
