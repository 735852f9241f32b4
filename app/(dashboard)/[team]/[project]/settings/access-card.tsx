import { getTranslations } from 'next-intl/server'
import type { Project } from '@/platform/model/resources.ts'
import { projectAccesses, roleIncludes } from '@/platform/model/roles.ts'
import { listProjectAccess } from '@/platform/project-access.ts'
import { getUser } from '@/platform/users.ts'
import { enter } from '../../../../_shell/load.ts'
import { Badge } from '../../../../_ui/badge.tsx'
import { Card } from '../../../../_ui/card.tsx'
import { AccessField } from './access-field.client.tsx'

/** Every member of the team, with what it comes to here. */
export async function AccessCard({ project }: { project: Project }) {
  const { platform, viewer } = await enter()
  const [t, tTeam, user, { data }] = await Promise.all([
    getTranslations('teamPages'),
    getTranslations('team'),
    getUser(platform, viewer),
    listProjectAccess(platform, viewer, project.id, { limit: 100 }),
  ])
  const grantable = projectAccesses.filter(
    (access) => access === 'team' || access === 'none' || roleIncludes(project.role, access),
  )
  return (
    <Card>
      <ul className="divide-y" aria-label={t('access')}>
        {data.map((member) => {
          const isFixed = roleIncludes(member.teamRole, 'admin') || member.userId === user.id
          return (
            <li key={member.userId} className="flex flex-wrap items-center gap-x-4 gap-y-2 px-5 py-3">
              <div className="min-w-0 flex-[1_1_12rem]">
                <p className="truncate font-medium">{member.name}</p>
                <p className="truncate text-muted">{member.email}</p>
              </div>
              {isFixed ? (
                <Badge>{tTeam(`role.${member.role ?? member.teamRole}`)}</Badge>
              ) : (
                <AccessField projectId={project.id} member={member} accesses={grantable} />
              )}
            </li>
          )
        })}
      </ul>
    </Card>
  )
}
