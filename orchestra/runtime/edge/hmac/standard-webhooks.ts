// The scheme of standardwebhooks.com: `v1,<base64>` of id, time and body, at most
// five minutes off. The named header holds the signature; id and time are in
// its neighbours of the same prefix (`webhook-`, `svix-`, …).

import { Webhook, WebhookVerificationError } from "standardwebhooks";
import { text, type Verify } from "./verify.ts";

export const verify: Verify = (body, headers, header, secret) => {
  const prefix = header.toLowerCase().replace(/-signature$/, "");
  const payload = text(body);
  if (payload === null) return Promise.resolve(false);
  // Outside the try: a secret that is no base64 is not the sender's fault.
  const webhook = new Webhook(secret);
  try {
    webhook.verify(payload, {
      "webhook-id": headers.get(`${prefix}-id`) ?? "",
      "webhook-timestamp": headers.get(`${prefix}-timestamp`) ?? "",
      "webhook-signature": headers.get(header) ?? "",
    }, { jsonParse: false });
    return Promise.resolve(true);
  } catch (error) {
    if (error instanceof WebhookVerificationError) {
      return Promise.resolve(false);
    }
    throw error;
  }
};
