"""The users of an account: the exception list, and the links between users and Entra identities.

Other packages call `users`, the facade. `user_key` names one user of one account.

    exemptions, exemption, terms       the exception list, its entries, and the requests to it
    exchange, csv_file, formulas       the list as a file
    remarks                            what is worth saying about an exception that is accepted
    exemption_sets                     whole lists in memory, for resolve
    admission, address_proof           who may sign in as whom, and by which addresses
    link, identity                     what an admission leaves: the rows of a user and of an Entra identity
    links                              the links, listed, searched and released
    people                             whether people stay the same after a change of tenant
"""
