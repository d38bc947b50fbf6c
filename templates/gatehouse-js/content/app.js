// The tools.

import { serve, tool } from "gatehouse-sdk";
import { z } from "zod";

const greet = tool({
  name: "greet",
  description: "Greets a person.",
  input: z.object({ name: z.string().describe("Whom") }),
  readOnly: true,
  run: ({ name }) => `Hello, ${name}!`,
});

export default serve({ name: "{{project-name | kebab_case}}", version: "0.1.0", tools: [greet] });
