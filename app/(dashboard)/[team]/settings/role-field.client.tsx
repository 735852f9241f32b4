'use client'

import { useTranslations } from 'next-intl'
import type { Role } from '@/platform/model/roles.ts'
import { SelectField } from '../../../_ui/select.client.tsx'

interface RoleFieldProps {
  roles: Role[]
  value: Role
  onValueChange(role: Role): void
}

/** A role, with what it means. */
export function RoleField({ roles, value, onValueChange }: RoleFieldProps) {
  const t = useTranslations('team')
  return (
    <SelectField
      label={t('roleLabel')}
      description={t(`roleDescription.${value}`)}
      value={value}
      onValueChange={(chosen) => onValueChange(roles.find((known) => known === chosen) ?? value)}
      items={roles.map((role) => ({ value: role, label: t(`role.${role}`) }))}
    />
  )
}
