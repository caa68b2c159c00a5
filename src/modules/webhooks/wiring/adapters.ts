import type { Provider } from '@nestjs/common';

import { Clock, SystemClock } from '../../../platform/kernel/clock.js';
import { IdGenerator } from '../../../platform/kernel/id-generator.js';
import { UuidV7Generator } from '../../../platform/kernel/uuid.js';
import { MetricsRegistry } from '../../../platform/observability/metrics-registry.js';
import { TargetUrlConstraint } from '../api/dto/constraints.js';
import { DeliverySettings } from '../application/delivery-settings.js';
import { ENGINE_LIMITS } from '../application/engine-limits.js';
import { HoldSettings } from '../application/hold-settings.js';
import { DeliveryMetrics } from '../application/ports/delivery-metrics.js';
import { HttpSender } from '../application/ports/http-sender.js';
import { JwtSigner } from '../application/ports/jwt-signer.js';
import { SchemaValidator } from '../application/ports/schema-validator.js';
import { SecretVault } from '../application/ports/secret-vault.js';
import { TargetPolicy } from '../application/ports/target-policy.js';
import { TemplateEngine } from '../application/ports/template-engine.js';
import { RetentionSettings } from '../application/retention-settings.js';
import { SubscriptionLimits } from '../application/subscription-limits.js';
import { AttemptSlots } from '../domain/attempt-slots.js';
import { EventCatalogue } from '../domain/event-types/event-catalogue.js';
import { AesGcmSecretVault } from '../infrastructure/crypto/aes-gcm-secret-vault.js';
import { JoseJwtSigner } from '../infrastructure/crypto/jose-jwt-signer.js';
import { AxiosHttpSender } from '../infrastructure/http/axios-http-sender.js';
import { ConfiguredTargetPolicy } from '../infrastructure/http/configured-target-policy.js';
import { BacklogMonitor } from '../infrastructure/observability/backlog-monitor.js';
import { HeldMonitor } from '../infrastructure/observability/held-monitor.js';
import { PrometheusDeliveryMetrics } from '../infrastructure/observability/prometheus-delivery-metrics.js';
import { SecretsReadiness } from '../infrastructure/observability/secrets-readiness.js';
import { AjvSchemaValidator } from '../infrastructure/schemas/ajv-schema-validator.js';
import { JsonataSandbox } from '../infrastructure/templates/jsonata-sandbox.js';
import { WEBHOOKS_OPTIONS, type WebhooksOptions } from '../webhooks-options.js';

/** Adapters beside storage and brokers, and the settings that the module was given. */
export function adapters(options: WebhooksOptions): Provider[] {
  const targets = {
    allowInsecureTargets: options.allowInsecureTargets,
    egressAllowCidrs: options.egressAllowCidrs,
    ownHosts: options.ownHosts,
  };
  return [
    { provide: WEBHOOKS_OPTIONS, useValue: options },
    { provide: DeliverySettings, useValue: options },
    { provide: RetentionSettings, useValue: options },
    { provide: HoldSettings, useValue: options },
    { provide: SubscriptionLimits, useValue: options },
    { provide: EventCatalogue, useFactory: () => new EventCatalogue() },
    { provide: SchemaValidator, useClass: AjvSchemaValidator },
    { provide: Clock, useClass: SystemClock },
    { provide: IdGenerator, useClass: UuidV7Generator },
    { provide: TemplateEngine, useClass: JsonataSandbox },
    { provide: JwtSigner, useClass: JoseJwtSigner },
    { provide: SecretVault, useFactory: () => new AesGcmSecretVault(options.encryptionKeys) },
    { provide: TargetPolicy, useFactory: () => new ConfiguredTargetPolicy(targets) },
    {
      provide: HttpSender,
      useFactory: () =>
        new AxiosHttpSender({
          targets,
          connectionsPerOrigin: ENGINE_LIMITS.perOrigin,
          ...(options.dnsServers.length === 0 ? {} : { dnsServers: options.dnsServers }),
        }),
    },
    { provide: AttemptSlots, useFactory: () => new AttemptSlots(ENGINE_LIMITS.slots) },
    {
      provide: DeliveryMetrics,
      inject: [MetricsRegistry, EventCatalogue],
      useFactory: ({ registry }: MetricsRegistry, catalogue: EventCatalogue) =>
        new PrometheusDeliveryMetrics(registry, catalogue, options.labelTenants),
    },
    BacklogMonitor,
    HeldMonitor,
    SecretsReadiness,
    TargetUrlConstraint,
  ];
}
