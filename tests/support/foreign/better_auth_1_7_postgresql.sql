--
-- PostgreSQL database dump
--

\restrict rV0gnwQGW3Ltdi5LZo0kjXrioaaNiQdTuAeULlVYBcbVivYwSs4gzBeTiGAsEcS

-- Dumped from database version 18.4
-- Dumped by pg_dump version 18.4

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET transaction_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: account; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.account (
    id text NOT NULL,
    "accountId" text NOT NULL,
    "providerId" text NOT NULL,
    "userId" text NOT NULL,
    "accessToken" text,
    "refreshToken" text,
    "idToken" text,
    "accessTokenExpiresAt" timestamp with time zone,
    "refreshTokenExpiresAt" timestamp with time zone,
    scope text,
    password text,
    "createdAt" timestamp with time zone DEFAULT CURRENT_TIMESTAMP NOT NULL,
    "updatedAt" timestamp with time zone NOT NULL
);


--
-- Name: session; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.session (
    id text NOT NULL,
    "expiresAt" timestamp with time zone NOT NULL,
    token text NOT NULL,
    "createdAt" timestamp with time zone DEFAULT CURRENT_TIMESTAMP NOT NULL,
    "updatedAt" timestamp with time zone NOT NULL,
    "ipAddress" text,
    "userAgent" text,
    "userId" text NOT NULL,
    "impersonatedBy" text
);


--
-- Name: user; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public."user" (
    id text NOT NULL,
    name text NOT NULL,
    email text NOT NULL,
    "emailVerified" boolean NOT NULL,
    image text,
    "createdAt" timestamp with time zone DEFAULT CURRENT_TIMESTAMP NOT NULL,
    "updatedAt" timestamp with time zone DEFAULT CURRENT_TIMESTAMP NOT NULL,
    username text,
    "displayUsername" text,
    role text,
    banned boolean,
    "banReason" text,
    "banExpires" timestamp with time zone,
    company text
);


--
-- Name: verification; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.verification (
    id text NOT NULL,
    identifier text NOT NULL,
    value text NOT NULL,
    "expiresAt" timestamp with time zone NOT NULL,
    "createdAt" timestamp with time zone DEFAULT CURRENT_TIMESTAMP NOT NULL,
    "updatedAt" timestamp with time zone DEFAULT CURRENT_TIMESTAMP NOT NULL
);


--
-- Data for Name: account; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.account (id, "accountId", "providerId", "userId", "accessToken", "refreshToken", "idToken", "accessTokenExpiresAt", "refreshTokenExpiresAt", scope, password, "createdAt", "updatedAt") FROM stdin;
U7eGR8XwAPHJN0w4PPAvuLW1sYOEwJ0e	3ttqdngdH2a3yzi7hHfKvzIcbokJUHEV	credential	3ttqdngdH2a3yzi7hHfKvzIcbokJUHEV	\N	\N	\N	\N	\N	\N	f75fd73a11aa269115d3a6ee7903fcb4:f8d96b51e98ca4293176e7360da4b2e7cd454e74a94913cdd46843d966929b1f111f97e11157beba2eb44512efb176df36cbabae48416b2b7e5d315c76078589	2026-11-21 14:40:20.974+00	2026-11-21 14:40:20.974+00
jzBBWxONV9s7v73GJ1jiFPZCHiGW0KfV	pFux4ZhLvXN1WQMmCgCAgtN8uXtbOw84	credential	pFux4ZhLvXN1WQMmCgCAgtN8uXtbOw84	\N	\N	\N	\N	\N	\N	fe102f205d17a7a0d12231539cbcad95:9449d96eddea28683f4c9d98417d9b0e784220dd3d0f9c4b8e61e7d9b75b75f5ee5fbc318da6779600b60099752bac0f96445cce8e760c489304c80d6b316043	2026-11-21 14:40:21.116+00	2026-11-21 14:40:21.116+00
1EPfQGFH546iWhaPRJnpoCxUi62Xlf6C	8dErEFEP4s5YxAmMd0MidNrW67M3NQ5j	credential	8dErEFEP4s5YxAmMd0MidNrW67M3NQ5j	\N	\N	\N	\N	\N	\N	63f28cbff3cfd44ea2726b6cd2054536:d16a659fc71ac201519d28eb6de4efd71940e0651c3116e3adc030a0afd73b3a9e8eab085a6f7e2ae59e1d9aa87989998fdeb5f422cb07dc266e351466d45732	2026-11-21 14:40:21.273+00	2026-11-21 14:40:21.273+00
\.


--
-- Data for Name: session; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.session (id, "expiresAt", token, "createdAt", "updatedAt", "ipAddress", "userAgent", "userId", "impersonatedBy") FROM stdin;
PW0uTafG7nb2A7c6RArkrwjey6N4sSW6	2026-11-28 14:40:20.977+00	fSnd66XTr4ODHf4G1FpGh0bCFpi5aoef	2026-11-21 14:40:20.977+00	2026-11-21 14:40:20.977+00			3ttqdngdH2a3yzi7hHfKvzIcbokJUHEV	\N
FurECVSkcomEPX4UJ8MoYXrmxFQfatvi	2026-11-28 14:40:21.119+00	bpZ4jNStLdGXktERmA08ZIY9s2DYWhbc	2026-11-21 14:40:21.119+00	2026-11-21 14:40:21.119+00			pFux4ZhLvXN1WQMmCgCAgtN8uXtbOw84	\N
KOE9cT27Ku22RMrjE2fvKNiFBbwZ62nN	2026-11-28 14:40:21.277+00	eaIF1wH0m2uIyrThHwCwBJ95ISqIdstb	2026-11-21 14:40:21.277+00	2026-11-21 14:40:21.277+00			8dErEFEP4s5YxAmMd0MidNrW67M3NQ5j	\N
\.


--
-- Data for Name: user; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public."user" (id, name, email, "emailVerified", image, "createdAt", "updatedAt", username, "displayUsername", role, banned, "banReason", "banExpires", company) FROM stdin;
pFux4ZhLvXN1WQMmCgCAgtN8uXtbOw84	Grace Hopper	grace@example.org	f	\N	2026-11-21 14:40:21.111+00	2026-11-21 14:40:21.111+00	\N	\N	user	f	\N	\N	\N
8dErEFEP4s5YxAmMd0MidNrW67M3NQ5j	Mallory	banned@example.org	f	\N	2026-11-21 14:40:21.269+00	2026-11-21 14:40:21.269+00	\N	\N	user	t	spam	\N	\N
3ttqdngdH2a3yzi7hHfKvzIcbokJUHEV	Ada Lovelace	ada@example.org	t	\N	2026-11-21 14:40:20.969+00	2026-11-21 14:40:20.969+00	ada.l	Ada.L	user	f	\N	\N	Analytical Engines
\.


--
-- Data for Name: verification; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.verification (id, identifier, value, "expiresAt", "createdAt", "updatedAt") FROM stdin;
\.


--
-- Name: account account_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.account
    ADD CONSTRAINT account_pkey PRIMARY KEY (id);


--
-- Name: session session_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.session
    ADD CONSTRAINT session_pkey PRIMARY KEY (id);


--
-- Name: session session_token_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.session
    ADD CONSTRAINT session_token_key UNIQUE (token);


--
-- Name: user user_email_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public."user"
    ADD CONSTRAINT user_email_key UNIQUE (email);


--
-- Name: user user_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public."user"
    ADD CONSTRAINT user_pkey PRIMARY KEY (id);


--
-- Name: user user_username_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public."user"
    ADD CONSTRAINT user_username_key UNIQUE (username);


--
-- Name: verification verification_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.verification
    ADD CONSTRAINT verification_pkey PRIMARY KEY (id);


--
-- Name: account_userId_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX "account_userId_idx" ON public.account USING btree ("userId");


--
-- Name: session_userId_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX "session_userId_idx" ON public.session USING btree ("userId");


--
-- Name: verification_identifier_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX verification_identifier_idx ON public.verification USING btree (identifier);


--
-- Name: account account_userId_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.account
    ADD CONSTRAINT "account_userId_fkey" FOREIGN KEY ("userId") REFERENCES public."user"(id) ON DELETE CASCADE;


--
-- Name: session session_userId_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.session
    ADD CONSTRAINT "session_userId_fkey" FOREIGN KEY ("userId") REFERENCES public."user"(id) ON DELETE CASCADE;


--
-- PostgreSQL database dump complete
--

\unrestrict rV0gnwQGW3Ltdi5LZo0kjXrioaaNiQdTuAeULlVYBcbVivYwSs4gzBeTiGAsEcS

