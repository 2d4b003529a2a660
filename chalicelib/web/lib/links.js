// Addresses on the page: of a job, of a list with its filters, of a group and its runs.

export const jobHref = (id) => `#/jobs/${encodeURIComponent(id)}`;
export const listHref = (query) => `#/jobs?${new URLSearchParams(query)}`;
export const groupHref = (name) => `#/groups/${encodeURIComponent(name)}`;
export const runHref = (name, run) => `${groupHref(name)}/runs/${encodeURIComponent(run)}`;

/** In a query 7 is the number; the text "7" wears quotes. */
export const objectQuery = (id) => (typeof id === "string" && /^-?\d+$|^".*"$/.test(id) ? `"${id}"` : String(id));

let last = "#/jobs";

/** The list as it was last looked at, for the way back from one job. */
export const lastList = () => last;
export const rememberList = (query) => (last = query.size ? listHref(query) : "#/jobs");
