import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';

@Entity({ name: 'panel_sessions' })
@Index('panel_sessions_link_uq', ['linkHash'], { unique: true })
@Index('panel_sessions_session_uq', ['sessionHash'], { unique: true })
@Check('panel_sessions_state_ck', `(link_hash IS NULL) <> (session_hash IS NULL)`)
export class PanelSessionRow {
  @PrimaryColumn({ type: 'uuid', primaryKeyConstraintName: 'panel_sessions_pk' })
  id!: string;

  @Column({ name: 'tenant_id', type: 'text', nullable: true })
  tenantId!: string | null;

  @Column({ type: 'text' })
  subject!: string;

  @Column({ type: 'text', array: true })
  scopes!: string[];

  @Column({ name: 'read_only', type: 'boolean' })
  readOnly!: boolean;

  @Column({ name: 'link_hash', type: 'bytea', nullable: true })
  linkHash!: Buffer | null;

  @Column({ name: 'session_hash', type: 'bytea', nullable: true })
  sessionHash!: Buffer | null;

  @Column({ name: 'started_at', type: 'timestamptz', default: () => 'now()' })
  startedAt!: Date;

  @Column({ name: 'used_at', type: 'timestamptz', default: () => 'now()' })
  usedAt!: Date;
}
